#!/usr/bin/env python
"""Write golden fixtures on a machine where an old Caffe still runs; `recaffe verify` judges by them elsewhere.

This one file is carried there. It needs Python 2.7 to 3.12, numpy and that machine's pycaffe, any fork since 2015:

    python dump_caffe.py test.prototxt NET.caffemodel --images a.jpg b.jpg --lib ~/py-faster-rcnn --cfg end2end.yml
    python dump_caffe.py train.prototxt NET.caffemodel --phase TRAIN --backward --images a.jpg --boxes boxes.txt
    python dump_caffe.py train.prototxt NET.caffemodel --phase TRAIN --backward --arrays minibatch.npz
    python dump_caffe.py lenet.prototxt NET.caffemodel --phase TRAIN --backward --batches 3

Each image, file of arrays or batch gives one fixture, FOLDER/NAME.PHASE.npz, from a net made for it alone. So none
depends on another, and a run that broke off goes on where it was when it is started again.

A data layer (RoIDataLayer) is not run where arrays stand in for its tops: those of --arrays, by blob name, or those of
--images and --boxes: data, im_info, gt_boxes. Other data layers run themselves; --batches says how often. All of that
comes before NumPy is seeded, so that the layers behind draw the same numbers whoever delivered the data.
"""

from __future__ import division, print_function

import argparse
import codecs
import collections
import hashlib
import importlib
import io
import json
import os
import platform
import re
import sys
import time
import types
import zipfile

import numpy as np

MEANS = (102.9801, 115.9465, 122.7717)
KEYS = """
    SCALES MAX_SIZE IMS_PER_BATCH BATCH_SIZE FG_FRACTION FG_THRESH BG_THRESH_HI BG_THRESH_LO HAS_RPN AGNOSTIC
    BBOX_REG BBOX_INSIDE_WEIGHTS BBOX_NORMALIZE_TARGETS BBOX_NORMALIZE_TARGETS_PRECOMPUTED BBOX_NORMALIZE_MEANS
    BBOX_NORMALIZE_STDS RPN_POSITIVE_OVERLAP RPN_NEGATIVE_OVERLAP RPN_CLOBBER_POSITIVES RPN_FG_FRACTION RPN_BATCHSIZE
    RPN_NMS_THRESH RPN_PRE_NMS_TOP_N RPN_POST_NMS_TOP_N RPN_MIN_SIZE RPN_BBOX_INSIDE_WEIGHTS RPN_POSITIVE_WEIGHT
    RPN_NORMALIZE_TARGETS RPN_NORMALIZE_MEANS RPN_NORMALIZE_STDS USE_GPU_NMS
""".split()  # of py-faster-rcnn's and py-R-FCN's config what their layers compute by; a user's own keys stay in `meta`
TOKEN = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}<>:]|[^\s{}<>:;,#"']+""")

Kit = collections.namedtuple("Kit", "args caffe config prototxt told")
Case = collections.namedtuple("Case", "name file batch")
Layer = collections.namedtuple("Layer", "name type bottoms tops")  # bottoms and tops: None where nothing tells them


class KitError(Exception):
    """What the user can mend: one line that says what, where, and the way out."""


# --- this machine


def optional(name):
    """A module, or None where this machine lacks it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def load_caffe(args):
    """This machine's pycaffe, on the device asked for; of a checkout every folder that may hold modules is searched."""
    for folder in reversed(args.lib):
        if not os.path.isdir(folder):
            raise KitError("--lib %s: no such folder" % folder)
        inner = [os.path.join(folder, name) for name in ("python", "caffe/python", "caffe-fast-rcnn/python", "lib")]
        sys.path[:0] = [path for path in [folder] + inner[::-1] if os.path.isdir(path)]
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        caffe = importlib.import_module("caffe")
    except ImportError as error:
        raise KitError("cannot import caffe (%s): name the folder that holds it with --lib" % error)
    if not hasattr(caffe, args.phase):
        raise KitError("%s has no caffe.%s: it is no pycaffe, or from before 2015" % (caffe.__file__, args.phase))
    if args.gpu is None:
        caffe.set_mode_cpu()
    else:
        caffe.set_device(args.gpu)
        caffe.set_mode_gpu()
    return caffe


def load_config(args):
    """The config of py-faster-rcnn or py-R-FCN with what the user changes; None where it cannot be imported."""
    module = optional("fast_rcnn.config")
    if module is None:
        if args.cfg or args.set:
            raise KitError("--cfg and --set need fast_rcnn.config: name py-faster-rcnn's folder with --lib")
        return None
    for path in args.cfg:
        module.cfg_from_file(path)
    if args.set:
        module.cfg_from_list(args.set)
    if getattr(nms_wrapper(), "gpu_nms", None) is None:
        module.cfg.USE_GPU_NMS = False  # whatever it says, there is only the CPU's rule
    return module.cfg


def nms_wrapper():
    """The originals' nms_wrapper; where no GPU's NMS is built, which it imports first, it is made to do without."""
    wrapper = optional("fast_rcnn.nms_wrapper")
    if wrapper is None and optional("nms.cpu_nms") is not None and optional("nms.gpu_nms") is None:
        sys.modules["nms.gpu_nms"] = types.ModuleType("nms.gpu_nms")
        sys.modules["nms.gpu_nms"].gpu_nms = None
        wrapper = optional("fast_rcnn.nms_wrapper")
    return wrapper


def flat(config, prefix=""):
    """A config's values by their keys in full, `TRAIN.SCALES`, as JSON takes them."""
    values = {}
    for key, value in config.items():
        if isinstance(value, dict):
            values.update(flat(value, prefix + key + "."))
        else:
            values[prefix + key] = value.tolist() if hasattr(value, "tolist") else value
    return values


def sha256(path):
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


# --- files


def kept(error):
    """Bytes that are not UTF-8 as lone surrogates, as Python 3 has them under the name surrogateescape."""
    wrong = bytearray(error.object[error.start : error.end])
    return "".join(("\\udc%02x" % byte).encode("ascii").decode("unicode_escape") for byte in wrong), error.end


codecs.register_error("kept", kept)


def read_text(path):
    """A file's text, whatever the encoding of its comments and names."""
    with open(path, "rb") as stream:
        return stream.read().decode("utf-8-sig", "kept")


def text(value):
    """NumPy's text, of Python 2's and 3's alike."""
    return np.array(value.decode("utf-8") if isinstance(value, bytes) else value)


class Writer(object):
    """Streams arrays into NAME.000.npz, NAME.001.npz and on, and the last of them with the head into NAME.npz.

    The files get these names at the end, NAME.npz last, so what has it is whole. Equal arrays give equal bytes.
    """

    def __init__(self, path, limit):
        self.folder, self.name = os.path.split(path)
        self.limit = limit
        self.pieces = []
        self.zip = None
        self.remove(".part")

    def path(self, piece, whole=True):
        """Where the first, second ... piece lies; where it is written while not all are whole."""
        name = "%s.%03d.npz" % (self.name[:-4], piece)
        return os.path.join(self.folder, name if whole else name + ".part")

    def add(self, key, value):
        """Add an array; a piece that would grow beyond the limit gives way to the next."""
        value = np.asarray(value)
        if self.zip is None or self.size + value.nbytes > self.limit:
            if self.zip is not None:
                self._finish(piece=text(self.name))
            self.zip = zipfile.ZipFile(self.path(len(self.pieces), False), "w", zipfile.ZIP_DEFLATED, True)
            self.size = 0
        self._store(key, value)

    def close(self, **head):
        """Add the head, and give every file its name."""
        if self.pieces:
            head["pieces"] = text(json.dumps(self.pieces))
        self._finish(**head)
        self.remove("")
        last = len(self.pieces) - 1
        for piece in range(last + 1):
            target = self.path(piece) if piece < last else os.path.join(self.folder, self.name)
            getattr(os, "replace", os.rename)(self.path(piece, False), target)

    def remove(self, suffix):
        """Remove what an earlier run left of this fixture."""
        if self.zip is not None:
            self.zip.close()
        pattern = re.compile(re.escape(self.name[:-4]) + r"\.\d+\.npz" + re.escape(suffix) + "$")
        for name in os.listdir(self.folder):
            if pattern.match(name):
                os.remove(os.path.join(self.folder, name))

    def _store(self, key, value):
        stream = io.BytesIO()
        np.save(stream, value)
        # numpy.savez of old writes the time of day as well.
        info = zipfile.ZipInfo(key + ".npy", (1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(info, stream.getvalue())
        self.size += value.nbytes

    def _finish(self, **keys):
        for key in sorted(keys):
            self._store(key, np.asarray(keys[key]))
        self.zip.close()
        path = self.path(len(self.pieces), False)
        self.pieces.append([os.path.basename(self.path(len(self.pieces))), sha256(path)])


def is_done(path, run):
    """Whether a fixture is there, whole and of this very run; one of another run is refused."""
    if not os.path.exists(path):
        return False
    have, pieces = None, []
    try:
        with np.load(path) as file:
            have = json.loads(str(file["meta"]))["run"]
            pieces = json.loads(str(file["pieces"])) if "pieces" in file.files else []
    except (IOError, KeyError, ValueError, zipfile.BadZipfile):
        pass
    if have != run:
        raise KitError("%s: is there, made of another net, weights, input or options: --force replaces it" % path)
    return all(os.path.exists(os.path.join(os.path.dirname(path), name)) for name, _ in pieces)


# --- the net


def open_net(kit):
    """A new net with its weights, by the form that old pycaffe takes, or by the new one where that is gone."""
    prototxt, weights, phase = kit.args.prototxt, kit.args.weights, getattr(kit.caffe, kit.args.phase)
    try:
        return kit.caffe.Net(prototxt, weights, phase)
    except TypeError as error:
        old = error
    try:
        return kit.caffe.Net(network_file=prototxt, phase=phase, weights=weights)
    except TypeError:
        raise old  # no matter of the form: a layer of the user's raised it


def layers_of(net, prototxt, notes):
    """The net's layers in order; none where this pycaffe cannot run them one by one."""
    if not all(hasattr(net, name) for name in ("_forward", "_layer_names", "layers")):
        notes.append("this pycaffe runs no single layers: no values before in-place layers, no states of NumPy's RNG")
        return []
    names = [str(name) for name in net._layer_names]
    written = read_layers(prototxt)
    if hasattr(net, "_bottom_ids") and hasattr(net, "_top_ids"):
        blobs = list(net._blob_names)
        wires = [[[blobs[k] for k in ids(i)] for ids in (net._bottom_ids, net._top_ids)] for i in range(len(names))]
    else:
        notes.append("this pycaffe does not tell what layers take and give: the prototxt was asked")
        wires = [wires_of(name, written, net.blobs) for name in names]
        unknown = [name for name, (_, tops) in zip(names, wires) if tops is None]
        if unknown:
            notes.append("if these layers work in place, the values before are lost: " + ", ".join(unknown))
    kinds = {layer.name: layer.type for layer in written}
    types = [str(getattr(layer, "type", kinds.get(name, ""))) for name, layer in zip(names, net.layers)]
    return [Layer(name, kind, *wire) for name, kind, wire in zip(names, types, wires)]


def read_layers(prototxt):
    """What a prototxt says of its layers' names, types, bottoms and tops, whatever their phase."""
    tokens = [token for token in TOKEN.findall(prototxt) if not token.startswith("#")]
    layers, stack = [], []
    for i, token in enumerate(tokens):
        key = tokens[i - 2] if tokens[i - 1] == ":" else tokens[i - 1]
        if token in ("{", "<"):
            stack.append(key)
            if stack in (["layer"], ["layers"]):
                layers.append(Layer([], [], [], []))
        elif token in ("}", ">"):
            stack.pop()
        elif tokens[i - 1] == ":" and stack in (["layer"], ["layers"]) and key in ("name", "type", "bottom", "top"):
            field = key if key in Layer._fields else key + "s"
            getattr(layers[-1], field).append(token.strip("\"'"))
    return [Layer("".join(name), "".join(kind), bottoms, tops) for name, kind, bottoms, tops in layers]


def wires_of(name, written, blobs):
    """A layer's bottoms and tops by the prototxt; a Split is BLOB_LAYER_TOP_split, its tops go by its name."""
    for layer in written:
        if layer.name == name and all(top in blobs for top in layer.tops):
            return layer.bottoms, layer.tops
    tops = [blob for blob in blobs if re.match(re.escape(name) + r"_\d+$", blob)]
    bottoms = [blob for blob in blobs if name.startswith(blob + "_")]
    return ([max(bottoms, key=len)], tops) if bottoms and tops and name.endswith("_split") else (None, None)


def is_source(layer):
    """Whether a layer delivers data."""
    return layer.bottoms == [] and layer.type != "Parameter"


# --- what it is fed


def cases_of(args):
    """One case for each image, file of arrays or batch."""
    files = args.images or args.arrays
    for path in [args.prototxt, args.weights] + files + args.cfg + [args.boxes] * bool(args.boxes):
        if not os.path.isfile(path):
            raise KitError("%s: no such file" % path)
    names = [os.path.splitext(os.path.basename(path))[0] for path in files]
    for name in names:
        if names.count(name) > 1:
            raise KitError("two files are named %s, and so would be their fixtures" % name)
    cases = [Case(name, path, 0) for name, path in zip(names, files)]
    return cases + [Case("batch%d" % number, None, number) for number in range(args.batches)]


def blobs_of(case, kit, net, wanted):
    """What to feed and the diffs that backward starts from, both by blob name."""
    if case.file is None:
        return {}, {}
    if kit.args.images:
        return blobs_of_image(case.file, kit, net, wanted), {}
    if not zipfile.is_zipfile(case.file):
        raise KitError("%s: is no .npz file, or one cut short" % case.file)
    with np.load(case.file) as file:
        arrays = {str(key): file[key] for key in file.files}
    kinds = ("bottom/", "top_diff/")
    fed, diffs = [{k[len(kind) :]: v for k, v in arrays.items() if k.startswith(kind)} for kind in kinds]
    return (fed if "prototxt" in arrays else arrays), diffs


def blobs_of_image(path, kit, net, wanted):
    """An image as py-faster-rcnn feeds it: BGR less the means, the short side scaled; then im_info and gt_boxes."""
    args, config = kit.args, kit.config
    if "data" not in wanted:
        raise KitError("--images feed a blob named data, which this net does not take: use --arrays")
    image = read_image(path).astype(np.float32)
    image -= np.float32(args.means or (MEANS if config is None else config.PIXEL_MEANS)).reshape(3)
    if "im_info" not in wanted:
        sides = net.blobs["data"].data.shape[2:]
        return {"data": as_blob(resize(image, sides[0] / image.shape[0], sides[1] / image.shape[1]))}
    section = {} if config is None else config[args.phase]
    least, most = args.sides or (section.get("SCALES", [600])[0], section.get("MAX_SIZE", 1000))
    scale = least / min(image.shape[:2])
    if np.round(scale * max(image.shape[:2])) > most:
        scale = most / max(image.shape[:2])
    blobs = {"data": as_blob(resize(image, scale, scale))}
    blobs["im_info"] = np.float32([blobs["data"].shape[2:] + (scale,)])
    if "gt_boxes" in wanted:
        blobs["gt_boxes"] = read_boxes(args.boxes, os.path.basename(path)) * np.float32([scale] * 4 + [1])
    return blobs


def as_blob(image):
    """H x W x 3 -> 1 x 3 x H x W."""
    return image.transpose(2, 0, 1)[np.newaxis]


def read_image(path):
    """An image, H x W x 3 in BGR."""
    cv2, pil = optional("cv2"), optional("PIL.Image")
    if cv2 is None and pil is None:
        raise KitError("--images need OpenCV or PIL, and neither is here: use --arrays")
    if cv2 is None:
        return np.array(pil.open(path).convert("RGB"))[:, :, ::-1]
    image = cv2.imread(path)
    if image is None:
        raise KitError("%s: is no image that OpenCV can read" % path)
    return image


def resize(image, down, across):
    """Scale an image linearly as OpenCV does, also where it is not there."""
    cv2 = optional("cv2")
    if cv2 is not None:
        return cv2.resize(image, None, None, fx=across, fy=down, interpolation=cv2.INTER_LINEAR)
    for axis, scale in enumerate((down, across)):
        side = image.shape[axis]
        at = (np.arange(int(np.round(side * scale))) + 0.5) / scale - 0.5
        low = np.floor(at).astype(int)
        share = (at - low).reshape((-1,) + (1,) * (2 - axis))
        first, second = [image.take(np.clip(low + k, 0, side - 1), axis) for k in (0, 1)]
        image = first * (1 - share) + second * share
    return image.astype(np.float32)


def read_boxes(path, image):
    """The boxes of an image, from lines `IMAGE x1 y1 x2 y2 CLASS` in its own pixels, counted from 0."""
    if path is None:
        raise KitError("this net takes gt_boxes: give lines `IMAGE x1 y1 x2 y2 CLASS` in a file with --boxes")
    rows = [line.split() for line in read_text(path).splitlines()]
    rows = [row[1:] for row in rows if row[:1] == [image]]
    try:
        boxes = np.array(rows, np.float32)
    except ValueError:
        boxes = None
    if boxes is None or boxes.shape != (len(rows), 5):
        raise KitError("%s: needs lines `%s x1 y1 x2 y2 CLASS`, one at least" % (path, image))
    return boxes


def feed(net, layers, case, arrays):
    """Fill inputs and the tops of data layers with arrays, run those without any; gives the names of these blobs."""
    tops = [top for layer in layers if is_source(layer) for top in layer.tops]
    given = [name for name in net.inputs if name not in tops] + tops
    for name in sorted(set(arrays) - set(given)):
        raise KitError("%s has an array for %s, but this net takes %s" % (case.file, name, ", ".join(given)))
    alone = [i for i, layer in enumerate(layers) if is_source(layer) and not set(layer.tops) & set(arrays)]
    alone = [i for i in alone if layers[i].type != "Input"]
    delivered = {top for i in alone for top in layers[i].tops}
    for name in given:
        if name not in arrays and name not in delivered:
            raise KitError("no array for %s: this net takes %s (see --arrays)" % (name, ", ".join(given)))
    for name, value in arrays.items():
        net.blobs[name].reshape(*[int(side) for side in value.shape])
        net.blobs[name].data[...] = value
    for i in alone:
        for _ in range(case.batch + 1):
            net._forward(i, i)
    return given


# --- one fixture


def forward(net, layers, writer):
    """Run layer by layer; write what in-place layers overwrite and NumPy's RNG before each Python layer."""
    loss, overwritten = 0.0, collections.Counter()
    if not layers:
        net.forward()
    for i, layer in enumerate(layers):
        if is_source(layer):
            continue
        if layer.type.upper() == "PYTHON":
            _, words, position, has_gauss, gauss = np.random.get_state()
            writer.add("rng/" + layer.name, np.array(list(words) + [position, has_gauss, gauss], np.float64))
        for top in [top for top in layer.tops or () if top in layer.bottoms]:
            writer.add("version/%s/%d" % (top, overwritten[top]), net.blobs[top].data)
            overwritten[top] += 1
        loss += net._forward(i, i) or 0.0
    return loss, overwritten


def backward(net, layers, diffs, everywhere, writer):
    """Run backward; write every param's diff, and the blobs' where something learns before them, or everywhere."""
    for name in sorted(diffs):
        net.blobs[name].diff[...] = diffs[name]
        writer.add("top_diff/" + name, diffs[name])
    if layers:
        net._backward(len(layers) - 1, 0)
    else:
        net.backward()
    # What lies in the other blobs' diffs no diff is: some layers compute there.
    learning = {key.rpartition("/")[0] for key, param in params_of(net) if np.any(param.diff)}
    reached = set(net.blobs) if everywhere or not layers else set()
    for layer in layers:
        if layer.name in learning or reached & set(layer.bottoms or ()):
            reached.update(layer.tops or ())
    for name, blob in net.blobs.items():
        if name in reached and name not in diffs and np.any(blob.diff):
            writer.add("diff/" + name, blob.diff)
    for key, param in params_of(net):
        writer.add("param_diff/" + key, param.diff)


def params_of(net):
    """Every param with its key."""
    return [("%s/%d" % (name, i), param) for name, params in net.params.items() for i, param in enumerate(params)]


def dump(kit, case, writer):
    """Make a net, feed it, run it, write every value; gives what there is to tell of it."""
    seed, notes, digests = kit.args.seed, [], {}
    np.random.seed(seed)
    if hasattr(kit.caffe, "set_random_seed"):
        kit.caffe.set_random_seed(seed)
    net = open_net(kit)
    layers = layers_of(net, kit.prototxt, notes)
    drops = [layer.name for layer in layers if layer.type == "Dropout" and kit.args.phase == "TRAIN"]
    if drops:
        notes.append("no other program repeats Caffe's own draws: only dropout_ratio 0 compares: " + ", ".join(drops))
    for key, param in params_of(net):
        param.diff[...] = 0
        writer.add("param/" + key, param.data)
        digests[key] = hashlib.sha256(param.data).digest()
    wanted = set(net.inputs).union(*[layer.tops for layer in layers if is_source(layer)])
    arrays, diffs = blobs_of(case, kit, net, wanted)
    given = feed(net, layers, case, arrays)
    for name in given:
        writer.add("bottom/" + name, net.blobs[name].data)
    np.random.seed(seed)
    loss, overwritten = forward(net, layers, writer)
    for name, blob in net.blobs.items():
        if name not in given or name in overwritten:
            writer.add("top/" + name, blob.data)
    for key, param in params_of(net):
        if hashlib.sha256(param.data).digest() != digests[key]:
            writer.add("post/" + key, param.data)
    if kit.args.backward:
        backward(net, layers, diffs, re.search(r"\bforce_backward\s*:\s*true", kit.prototxt), writer)
    return {"loss": loss, "notes": notes, "layers": len(layers), "blobs": len(net.blobs)}


def dump_or_tell(kit, case, writer):
    """The same; what a layer raises where the originals' config was left as it comes is told with the way out."""
    try:
        return dump(kit, case, writer)
    except (KitError, EnvironmentError):
        raise
    except Exception as error:
        if kit.args.phase != "TRAIN" or kit.config is None or kit.args.cfg:
            raise
        reason = "%s: %s" % (type(error).__name__, " ".join(str(error).split()))
        raise KitError("a layer failed (%s); a TRAIN net needs the YAML it is trained by: name it with --cfg" % reason)


def head_of(kit, told):
    """The keys that say which net this is and how it ran."""
    config = {key: value for key, value in told["config"].items() if key.rpartition(".")[2] in KEYS}
    rfcn = "TRAIN.AGNOSTIC" in config or (kit.config is None and "PSROIPooling" in kit.prototxt)
    head = {
        "prototxt": text(kit.prototxt),
        "phase": text(kit.args.phase),
        "variant": text("rfcn" if rfcn else "frcnn"),
        "cfg": text(json.dumps(config, sort_keys=True)),
        "meta": text(json.dumps(told, sort_keys=True, default=str)),
        "rng_seed": np.int64(kit.args.seed),
    }
    if hasattr(kit.caffe, "set_random_seed"):
        head["seed"] = head["rng_seed"]
    return head


# --- the run


def prepare(args):
    """What all cases share, and what is told of it in `meta`."""
    caffe, config = load_caffe(args), load_config(args)
    prototxt = read_text(args.prototxt)
    told = {name: getattr(args, name) for name in ("phase", "seed", "backward", "gpu", "means", "sides", "piece_mb")}
    versions = {"python": platform.python_version(), "machine": platform.platform(), "numpy": np.__version__}
    for name in ("caffe", "cv2", "PIL", "google.protobuf"):
        versions[name] = str(getattr(optional(name), "__version__", "unknown"))
    library = getattr(getattr(caffe, "_caffe", None), "__file__", None)
    files = [path for path in (args.prototxt, args.weights, args.boxes, library) if path]
    told["sha256"] = {os.path.basename(path): sha256(path) for path in files}
    told.update(versions=versions, config=flat(config or {}))
    return Kit(args, caffe, config, prototxt, told)


def run(args):
    """Write the fixture of every case that is not there yet."""
    cases = cases_of(args)
    kit = prepare(args)
    if not os.path.isdir(args.out):
        os.makedirs(args.out)
    for number, case in enumerate(cases):
        began = time.time()
        path = os.path.join(args.out, "%s.%s.npz" % (case.name, args.phase.lower()))
        label = "[%d/%d] %s" % (number + 1, len(cases), path)
        told = dict(kit.told, input=[case.name, case.file and sha256(case.file)])
        told["run"] = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode("utf-8")).hexdigest()
        if not args.force and is_done(path, told["run"]):
            print("%s: done before" % label)
            continue
        writer = Writer(path, args.piece_mb * 1e6)
        try:
            told.update(dump_or_tell(kit, case, writer))
            writer.close(**head_of(kit, told))
        finally:
            writer.remove(".part")
        size = "%d layers, %d blobs, %d file(s)" % (told["layers"], told["blobs"], len(writer.pieces))
        print("%s: %s, %.1f s" % (label, size, time.time() - began))
        for note in told["notes"]:
            print("  note: " + note)
        sys.stdout.flush()


def parser():
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("prototxt", metavar="NET.prototxt")
    words.add_argument("weights", metavar="WEIGHTS.caffemodel")
    fed = words.add_mutually_exclusive_group(required=True)
    fed.add_argument("--images", nargs="+", default=[], metavar="FILE", help="images, fed as py-faster-rcnn does")
    fed.add_argument("--arrays", nargs="+", default=[], metavar="FILE", help=".npz of blobs by name, or fixtures")
    fed.add_argument("--batches", type=int, default=0, metavar="N", help="so many forwards of the net's data layers")
    words.add_argument("--out", default="golden", metavar="FOLDER", help="where fixtures go (default golden)")
    words.add_argument("--phase", choices=("TEST", "TRAIN"), default="TEST", help="the phase (default TEST)")
    words.add_argument("--backward", action="store_true", help="run backward and write diffs, too")
    words.add_argument("--seed", type=int, default=3, help="of NumPy and, where it can be set, Caffe (default 3)")
    words.add_argument("--gpu", type=int, metavar="ID", help="run there: some layers run nowhere else (default CPU)")
    words.add_argument("--lib", action="append", default=[], metavar="FOLDER", help="of modules, or of a checkout")
    words.add_argument("--cfg", action="append", default=[], metavar="FILE.yml", help="py-faster-rcnn's config")
    words.add_argument("--set", nargs="+", default=[], metavar="KEY VALUE", help="its keys, as TEST.MAX_SIZE 800")
    words.add_argument("--boxes", metavar="FILE", help="gt_boxes of images: lines IMAGE x1 y1 x2 y2 CLASS")
    words.add_argument("--means", nargs=3, type=float, metavar=("B", "G", "R"), help="instead of PIXEL_MEANS")
    words.add_argument("--sides", nargs=2, type=int, metavar=("SHORT", "LONG"), help="instead of SCALES, MAX_SIZE")
    words.add_argument("--piece-mb", type=float, default=1000, metavar="N", help="values in a file (default 1000)")
    words.add_argument("--force", action="store_true", help="replace fixtures that are there")
    return words


def main(words=None):
    """Run; what the user can mend ends in one line and status 2."""
    try:
        run(parser().parse_args(words))
    except (KitError, IOError, OSError) as error:
        print("dump_caffe.py: %s" % error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dump_caffe.py: interrupted; the same command goes on from here", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
