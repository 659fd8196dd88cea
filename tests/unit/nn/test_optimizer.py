"""AdamW: equal to Keras' own, with one evaluation of the schedule a step."""

import keras
import numpy as np
import pytest
from keras import ops

from lungcli.nn.optimizer import AdamW
from lungcli.nn.schedule import Part, SmoothCosine

SHAPES = ((3, 3, 2, 4), (4,), (5, 2))


def new_variables():
    random = np.random.default_rng(0)
    return [
        keras.Variable(random.normal(size=shape).astype(np.float32)) for shape in SHAPES
    ]


def gradients(step):
    random = np.random.default_rng([1, step])
    # some are longer than the clip norm, some shorter
    return [
        ops.convert_to_tensor(random.normal(scale=scale, size=shape), "float32")
        for shape, scale in zip(SHAPES, (1.0, 0.1, 5.0), strict=True)
    ]


@pytest.mark.parametrize(
    "rate",
    [
        pytest.param(lambda: 0.01, id="constant"),
        pytest.param(
            lambda: SmoothCosine(0.01, (Part(0, 4),), steps_per_epoch=5), id="schedule"
        ),
    ],
)
def test_equal_to_keras(rate):
    ours, theirs = new_variables(), new_variables()
    optimizers = [
        kind(rate(), weight_decay=0.01, clipnorm=1.0)
        for kind in (AdamW, keras.optimizers.AdamW)
    ]
    for step in range(20):
        for optimizer, variables in zip(optimizers, (ours, theirs), strict=True):
            optimizer.apply_gradients(
                list(zip(gradients(step), variables, strict=True))
            )
    for one, other, start in zip(ours, theirs, new_variables(), strict=True):
        assert one.numpy() == pytest.approx(other.numpy(), rel=1e-5, abs=1e-5)
        assert not np.allclose(one.numpy(), start.numpy(), atol=1e-3)
    for one, other in zip(*(kind.variables for kind in optimizers), strict=True):
        assert one.numpy() == pytest.approx(other.numpy(), rel=1e-5, abs=1e-5)


def test_the_schedule_is_asked_once_a_step():
    asked = []

    class Schedule(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            asked.append(int(step))
            return 0.01

    variables = new_variables()
    optimizer = AdamW(Schedule(), weight_decay=0.01)
    for step in range(3):
        optimizer.apply_gradients(list(zip(gradients(step), variables, strict=True)))
    assert asked == [0, 1, 2]
    assert float(optimizer.learning_rate) == 0.01
    assert asked == [0, 1, 2, 3]  # of the step to come, not the last one's


def test_a_constant_rate_can_be_changed():
    optimizer = AdamW(0.01, weight_decay=0.01)
    variables = new_variables()
    optimizer.build(variables)
    optimizer.learning_rate = 0.0
    before = [variable.numpy() for variable in variables]
    optimizer.apply_gradients(list(zip(gradients(0), variables, strict=True)))
    assert float(optimizer.learning_rate) == 0.0
    for one, other in zip(variables, before, strict=True):
        assert np.array_equal(one.numpy(), other)


def test_a_step_that_fails_leaves_no_rate_behind():
    schedule = SmoothCosine(0.01, (Part(0, 4),), steps_per_epoch=5)
    optimizer = AdamW(schedule, weight_decay=0.01)
    optimizer.build(new_variables())
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply_gradients(list(zip(gradients(0), new_variables(), strict=True)))
    optimizer.iterations.assign(1)  # the end of the warm-up
    assert float(optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_equal_to_keras_in_a_program_of_tensorflow(jit_compile):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("of TensorFlow only")
    import tensorflow as tf

    found = []
    for kind in (AdamW, keras.optimizers.AdamW):
        schedule = SmoothCosine(0.01, (Part(0, 4),), steps_per_epoch=5)
        optimizer = kind(schedule, weight_decay=0.01, clipnorm=1.0)
        variables = new_variables()
        optimizer.build(variables)
        step = tf.function(optimizer.apply, jit_compile=jit_compile)
        for number in range(5):
            step(gradients(number))  # of the variables it was built with
        found.append([variable.numpy() for variable in variables])
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, rel=1e-5, abs=1e-5)
