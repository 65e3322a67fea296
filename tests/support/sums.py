"""A process with two replicas (tests/training/test_gradients.py): it prints what they sum.

The loss, two gradients and a variable that moved along the first of them, a line each.
"""

import tensorflow as tf

from rts_tf.training.gradients import AdamOfSums, summed
from tests.support import two_devices

if __name__ == "__main__":
    strategy = two_devices.strategy()
    with strategy.scope():
        variable = tf.Variable(tf.zeros([6]))
        optimizer = AdamOfSums(1.0, epsilon=1e3)
        optimizer.build([variable])

    def of_replica():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        share = tf.cast(number + 1, tf.float32)  # 1 and 2
        loss, gradients = summed(share, [10 * share * tf.ones([2, 3]), 100 * share * tf.ones([4])])
        optimizer.apply_gradients([(tf.reshape(gradients[0], [-1]), variable)])
        return [loss, *gradients]

    @tf.function
    def both():
        return strategy.run(of_replica)

    for result in both():
        first, second = strategy.experimental_local_results(result)
        tf.debugging.assert_equal(first, second)
        print(*first.numpy().ravel())
    print(*variable.numpy())
