"""How a distillation tells its caller how far it is."""

from rts_tf.distillation.config import DistillationConfig
from rts_tf.distillation.fitting import Part
from rts_tf.distillation.shards import OnImage
from rts_tf.training.phase_a import OnReport
from rts_tf.training.progress import Progress, Silent

# About how many seconds each takes on two cores: an input that passes codecs, the teacher on one,
# a training step, and all instruments on one validation image
INPUT, TEACHER, STEP, MEASURED = 0.5, 0.6, 0.01, 8.0
UNITS = {"inputs": "images", "teacher": "inputs", "training": "steps", "measures": "images"}


class DistillationProgress:
    """Counts the work of a distillation.

    Attributes:
        work: All work by phase, about in seconds.
        shown: What shows it.
    """

    def __init__(self, config: DistillationConfig, images: dict[str, int]):
        """``images``: The number of training and of validation images."""
        self._config, total = config, sum(images.values())
        self._each = {
            "inputs": INPUT * config.variants,
            "teacher": TEACHER,
            "training": STEP,
            "measures": MEASURED if config.judge == "mos" else MEASURED / 20,
        }
        self._total = {
            "inputs": total,
            "teacher": total * config.variants,
            "training": config.lifted_steps + config.free_steps,
            "measures": images["validation"],
        }
        self._done = dict.fromkeys(self._total, 0)
        self.work = {phase: self._each[phase] * count for phase, count in self._total.items()}
        self.shown: Progress = Silent()

    def of(self, phase: str) -> OnImage:
        """The function to call with the name of each image, or input, of ``phase``."""

        def on_image(name: str) -> None:
            self._advance(phase, 1, phase)

        return on_image

    def of_part(self, part: Part) -> OnReport:
        """The function that :func:`rts_tf.training.phase_a.fit` calls in a part of the training."""
        done: int | None = None

        def on_report(step: int, loss: float, rate: float) -> None:
            nonlocal done
            if done is None:
                self.shown.skip("training", step * STEP)
            elif step > done:
                self._advance("training", step - done, f"{part.name} weights  loss {loss:.3e}")
            done = step

        return on_report

    def _advance(self, phase: str, count: int, text: str) -> None:
        self._done[phase] += count
        text = f"{text}  {self._done[phase]}/{self._total[phase]}"
        self.shown.advance(phase, count * self._each[phase], text, count, UNITS[phase])
