"""Runs a SavedModel through TensorFlow's C API, as a C program would; no TensorFlow in Python.

    python saved_model_in_c.py LIBRARY SAVED_MODEL INPUT_OP OUTPUT_OP OUTPUT_INDEX IN OUT

IN and OUT are .npy files of float32.
"""

import ctypes as c
import sys

import numpy as np

FLOAT = 1  # TF_FLOAT


class Output(c.Structure):
    """TF_Output."""

    _fields_ = [("operation", c.c_void_p), ("index", c.c_int)]


def main(library, folder, input_name, output_name, output_index, in_path, out_path):
    """Loads, runs, writes."""
    tf = c.CDLL(library)
    for name in (
        "TF_NewStatus",
        "TF_NewGraph",
        "TF_NewSessionOptions",
        "TF_LoadSessionFromSavedModel",
        "TF_GraphOperationByName",
        "TF_AllocateTensor",
        "TF_TensorData",
        "TF_Message",
    ):
        getattr(tf, name).restype = c.c_void_p
    tf.TF_Dim.restype = c.c_int64
    status, graph = c.c_void_p(tf.TF_NewStatus()), c.c_void_p(tf.TF_NewGraph())

    def check():
        if tf.TF_GetCode(status):
            sys.exit(c.cast(tf.TF_Message(status), c.c_char_p).value.decode())

    tags = (c.c_char_p * 1)(b"serve")
    session = c.c_void_p(
        tf.TF_LoadSessionFromSavedModel(
            c.c_void_p(tf.TF_NewSessionOptions()),
            None,
            folder.encode(),
            tags,
            1,
            graph,
            None,
            status,
        )
    )
    check()
    place = lambda name, index: Output(tf.TF_GraphOperationByName(graph, name.encode()), index)
    masks = np.ascontiguousarray(np.load(in_path), np.float32)
    dims = (c.c_int64 * masks.ndim)(*masks.shape)
    given = c.c_void_p(tf.TF_AllocateTensor(FLOAT, dims, masks.ndim, c.c_size_t(masks.nbytes)))
    c.memmove(tf.TF_TensorData(given), masks.ctypes.data, masks.nbytes)
    inputs, outputs = place(input_name, 0), place(output_name, int(output_index))
    answer = c.c_void_p()
    tf.TF_SessionRun(
        session,
        None,
        c.byref(inputs),
        c.byref(given),
        1,
        c.byref(outputs),
        c.byref(answer),
        1,
        None,
        0,
        None,
        status,
    )
    check()
    shape = [tf.TF_Dim(answer, i) for i in range(tf.TF_NumDims(answer))]
    values = (c.c_float * int(np.prod(shape))).from_address(tf.TF_TensorData(answer))
    np.save(out_path, np.array(values, np.float32).reshape(shape))


if __name__ == "__main__":
    main(*sys.argv[1:])
