"""What a target needs besides the exported network: the runner for devices, TensorFlow Serving.

The code is in ``rts_tf.settop`` and ``rts_tf.serving_client``, which are installed with the
package. This folder has the settings, the pages, and modules that call that code from a checkout.
"""
