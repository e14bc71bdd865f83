"""Visits to a served page."""

import pathlib
import time

import httpx
import numpy as np

import ptn_semi

EXAMPLE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"


def extrude(masks):
    upright = masks[:, ::-1, :, 0]  # y up
    shape = [len(masks), *[masks.shape[1]] * 3]
    return np.broadcast_to(upright[:, None] * 0.9, shape).astype(np.float32)


def extrude_all(masks, viewpoints):
    """Where any view has voxels, and the viewpoint from which all are said to be seen."""
    voxels = np.max([extrude(views) for views in masks.swapaxes(0, 1)], axis=0)
    return voxels, np.zeros([*masks.shape[:2], 2], np.float32)


def upload(client, path, name="files"):
    answer = client.post("upload", files={name: path.read_bytes()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def file(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def run(client, name, *data):
    return client.post(f"run/{name}", json={"data": data, "session_hash": "visitor"})


def answered(response, client):
    """What a visitor gets: contents of the files in an answer, and the rest of it."""
    assert response.status_code == 200, response.text
    return [
        client.get(each["url"]).raise_for_status().content if isinstance(each, dict) else each
        for each in response.json()["data"]
    ]


# After the threshold and the surface: colours, segmentation, and no other views.
REST = (True, "auto", None, None, None)


def ask(client, path, threshold=0.4, surface="smooth", color=True, others=()):
    """Picture of the masks, shape and note."""
    first, *rest = [file(upload(client, each)[0]) for each in (path, *others)]
    rest += [None] * (3 - len(rest))
    answer = run(client, "from_file", first, threshold, surface, color, "auto", *rest)
    return answered(answer, client)[1:]


def example(client):
    """What a click on the example sends."""
    components = client.get("../config").json()["components"]
    [[[sample]]] = [each["props"]["samples"] for each in components if each["type"] == "dataset"]
    return sample


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)


FORM = b'--b\r\nContent-Disposition: form-data; name="files"; filename=f\r\n\r\n'


def refused(request):
    """The status of an answer, or "closed" where the server has hung up on a body too long."""
    try:
        return request().status_code
    except httpx.TransportError:
        return "closed"
