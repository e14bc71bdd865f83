"""Adam in one of TensorFlow's own operations: less to trace before the first step, and to run."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ptn_semi")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, the same updates but for rounding; see there for its arguments.

    Keras' own makes some twenty operations for each variable. Without `amsgrad`.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Updates a variable and its two moments."""
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
