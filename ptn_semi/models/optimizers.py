"""Adam as a single TensorFlow operation per variable, which is faster to trace and to run."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ptn_semi")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, with the same arguments and the same updates up to rounding.

    The optimizer of Keras needs about twenty operations for each variable. This one does not
    support `amsgrad`.
    """

    def update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Update a variable and its two moments by a gradient of its shape."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
