"""Foreign checkpoints: files made the authors' way, by classes that no longer exist when the file is read."""

import codecs
import io
import json
import os
import pickle
import struct
import sys
import types
import warnings
import zipfile
from collections import OrderedDict
from contextlib import contextmanager

import pytest
import safetensors.torch
import torch
import torchvision
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import nn

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.foreign import imported, inert_pickle
from metaiqa_core.models.foreign.imported import import_foreign_checkpoint, read_foreign_state_dict
from metaiqa_core.models.foreign.inert_pickle import Name, Record, read_inert

IMAGENET = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LAYOUTS = pytest.mark.parametrize("zipped", [False, True], ids=["legacy", "zip"])


# --- files ------------------------------------------------------------------------------------------------------------


def authors_classes():
    """Classes of a script run as __main__: pickles refer to them, and nobody can import them afterwards."""

    class BaselineModel1(nn.Module):
        def __init__(self, inputs=1000, wide=1024, narrow=512):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(inputs, wide), nn.Linear(wide, narrow), nn.Linear(narrow, 1)
            self.bn1, self.bn2 = nn.BatchNorm1d(wide), nn.BatchNorm1d(narrow)
            self.relu1, self.relu2 = nn.PReLU(), nn.PReLU()

        def forward(self, x):
            x = self.relu1(self.bn1(self.fc1(x)))
            return torch.sigmoid(self.fc3(self.relu2(self.bn2(self.fc2(x)))))

    class Net(nn.Module):
        def __init__(self, resnet, net):
            super().__init__()
            self.resnet_layer, self.net = resnet, net

        def forward(self, x):
            return self.net(self.resnet_layer(x))

    for made in (BaselineModel1, Net):
        made.__module__, made.__qualname__ = "__main__", made.__name__
    return Net, BaselineModel1


NET, HEAD = authors_classes()


@contextmanager
def as_main_script():
    real, script = sys.modules["__main__"], types.ModuleType("__main__")
    script.Net, script.BaselineModel1 = NET, HEAD
    sys.modules["__main__"] = script
    try:
        yield
    finally:
        sys.modules["__main__"] = real


def save_script_object(value, path, zipped, protocol=2):
    with as_main_script(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Couldn't retrieve source")
        torch.save(value, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    return path


def randomised(network, seed=0):
    """Give every tensor values of its own, so that no two can be mixed up unnoticed, and the output a healthy scale."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            value.fill_(7)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        else:
            fan_in = value[0].numel() if value.ndim > 1 else 400
            value.normal_(float(name.endswith("weight") and value.ndim == 1), fan_in**-0.5, generator=generator)
    return network.eval()


def without_batch_counts(network):
    for module in network.modules():
        module._buffers.pop("num_batches_tracked", None)
    return network


def small_network():
    with torch.random.fork_rng(devices=[]):
        return randomised(NET(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)), HEAD(4, 3, 2)))


def assert_same_weights(found, expected):
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name


@pytest.fixture(scope="module")
def authors_network():
    with torch.random.fork_rng(devices=[]):
        return randomised(NET(torchvision.models.resnet18(), HEAD()))


@pytest.fixture(scope="module")
def authors_weights(authors_network):
    return dict(authors_network.state_dict())


@pytest.fixture
def state_file(tmp_path, authors_weights):
    """Write a state dict that differs from the authors' in what the test says."""

    def write(changed=None, without=()):
        path = tmp_path / "weights.pt"
        torch.save({k: v for k, v in (authors_weights | (changed or {})).items() if k not in without}, path)
        return path

    return write


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counted", [True, False], ids=["with-counts", "without-counts"])
@LAYOUTS
def test_a_whole_pickled_network_of_vanished_classes_is_read(tmp_path, zipped, counted):
    network = small_network() if counted else without_batch_counts(small_network())
    path = save_script_object(network, tmp_path / "model.pt", zipped)
    with pytest.raises(AttributeError):
        torch.load(path, weights_only=False)
    assert_same_weights(read_foreign_state_dict(path), network.state_dict())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@LAYOUTS
def test_a_state_dict_is_read_whatever_its_pickle_protocol(tmp_path, zipped, protocol):
    weights = small_network().state_dict()
    path = save_script_object(weights, tmp_path / "model.pt", zipped, protocol)
    assert_same_weights(read_foreign_state_dict(path), weights)


def test_safetensors_are_read(tmp_path):
    weights = {name: value.contiguous() for name, value in small_network().state_dict().items()}
    safetensors.torch.save_file(weights, tmp_path / "model.safetensors")
    found = read_foreign_state_dict(tmp_path / "model.safetensors")
    assert_same_weights(dict(sorted(found.items())), dict(sorted(weights.items())))


@LAYOUTS
def test_views_precisions_and_empty_tensors_survive(tmp_path, zipped):
    table = torch.arange(12.0).reshape(3, 4)
    weights = {"whole": table, "transposed": table.T, "part": table[1:, 2:], "empty": torch.zeros(0, 3)}
    weights["shared"] = nn.Parameter(table[0])
    for dtype in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8):
        weights[str(dtype)] = torch.arange(5).to(dtype)
    path = save_script_object(weights, tmp_path / "model.pt", zipped)
    found = read_foreign_state_dict(path)
    assert_same_weights(found, weights)
    assert found["part"].untyped_storage().data_ptr() == found["whole"].untyped_storage().data_ptr()


@LAYOUTS
def test_wrappers_and_the_prefix_of_data_parallel_are_taken_off(tmp_path, zipped):
    weights = small_network().state_dict()
    prefixed = OrderedDict((f"module.{name}", value) for name, value in weights.items())
    parallel = nn.Module()
    parallel.add_module("module", small_network())
    optimiser = torch.optim.Adam(small_network().parameters()).state_dict()
    for number, saved in enumerate(
        (
            prefixed,
            parallel,
            {"epoch": 3, "state_dict": prefixed, "optimizer": optimiser},
            {"model": small_network()},
            {"model": {"params": weights}},
        )
    ):
        path = save_script_object(saved, tmp_path / f"{number}.pt", zipped)
        assert_same_weights(read_foreign_state_dict(path), weights)


def test_buffers_that_do_not_persist_are_left_out(tmp_path):
    network = small_network()
    network.register_buffer("mean", torch.zeros(3), persistent=False)
    network.register_buffer("scale", torch.ones(1))
    path = save_script_object(network, tmp_path / "model.pt", zipped=False)
    assert_same_weights(read_foreign_state_dict(path), network.state_dict())


# --- importing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counted", [True, False], ids=["with-counts", "without-counts"])
def test_an_imported_network_scores_as_the_authors_code_does(tmp_path, authors_network, counted):
    photos = torch.rand(3, 3, 64, 80, generator=torch.Generator().manual_seed(5))
    images = photos * torch.tensor([0.2, 0.6, 1.0]).view(3, 1, 1, 1)
    with torch.no_grad():
        expected = authors_network(IMAGENET(images))[:, 0]
    counts = {m: m._buffers["num_batches_tracked"] for m in authors_network.modules() if hasattr(m, "running_var")}
    try:
        if not counted:
            without_batch_counts(authors_network)
        path = save_script_object(authors_network, tmp_path / "model.pt", zipped=False)
    finally:
        for module, count in counts.items():
            module._buffers["num_batches_tracked"] = count
    random_state = torch.get_rng_state()
    network = import_foreign_checkpoint(path)
    assert torch.equal(torch.get_rng_state(), random_state), "importing must not draw random numbers"
    assert not network.training
    assert network.net.bn1.num_batches_tracked == (7 if counted else 0)
    with torch.no_grad():
        torch.testing.assert_close(network(images), expected, rtol=0, atol=1e-6)
    assert expected.std() > 1e-4, "different photos must give different scores for this test to mean anything"


def test_the_head_may_be_called_head_and_precision_is_brought_to_32_bits(tmp_path, authors_weights):
    ported = {k.replace("net.", "head.", 1) if k.startswith("net.") else k: v for k, v in authors_weights.items()}
    torch.save({k: v.double() if v.is_floating_point() else v for k, v in ported.items()}, tmp_path / "port.pt")
    network = import_foreign_checkpoint(tmp_path / "port.pt")
    assert_same_weights(dict(sorted(network.state_dict().items())), dict(sorted(authors_weights.items())))


def test_imagenets_mean_and_deviation_may_be_in_the_file_and_others_may_not(state_file):
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    import_foreign_checkpoint(state_file({"mean": mean, "std": std}))
    with pytest.raises(CheckpointError, match="it has 1 tensors too many: 'mean'"):
        import_foreign_checkpoint(state_file({"mean": mean + 0.1, "std": std}))


def test_missing_tensors_are_named_and_counted(state_file):
    path = state_file(without=("net.fc1.bias", "net.fc2.bias", "net.fc3.bias", "net.fc3.weight"))
    message = (
        "weights.pt lacks 4 of the 140 tensors of MetaIQA's released network: 'net.fc1.bias', 'net.fc2.bias', "
        "'net.fc3.weight' and 1 more. Choose a complete checkpoint."
    )
    with pytest.raises(CheckpointError) as caught:
        import_foreign_checkpoint(path)
    assert str(caught.value) == message


def test_surplus_tensors_are_named_and_counted(state_file):
    with pytest.raises(CheckpointError, match=r"it has 1 tensors too many: 'net\.fc4\.weight'\. Choose"):
        import_foreign_checkpoint(state_file({"net.fc4.weight": torch.ones(1)}))


def test_another_network_is_described(tmp_path):
    torch.save(torchvision.models.mobilenet_v3_small(num_classes=2).state_dict(), tmp_path / "mobile.pt")
    with pytest.raises(CheckpointError) as caught:
        import_foreign_checkpoint(tmp_path / "mobile.pt")
    assert str(caught.value) == (
        "mobile.pt is not the network of MetaIQA's released code: expected 140 tensors named resnet_layer.* and net.*, "
        "found 244: 'features.0.0.weight', 'features.0.1.weight', 'features.0.1.bias' and 241 more. Choose the "
        "authors' checkpoint."
    )


def test_a_tensor_of_another_shape_is_described(state_file):
    with pytest.raises(CheckpointError, match=r"net\.fc3\.weight should have the shape 1x512, found 5x512\. Choose"):
        import_foreign_checkpoint(state_file({"net.fc3.weight": torch.zeros(5, 512)}))


def test_integers_in_place_of_floats_are_refused(state_file):
    with pytest.raises(CheckpointError, match=r"holds uint8 values in net\.fc3\.bias; expected floats\. Save"):
        import_foreign_checkpoint(state_file({"net.fc3.bias": torch.zeros(1, dtype=torch.uint8)}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300], ids=["nan", "infinite", "beyond-32-bits"])
def test_values_that_are_not_finite_are_refused(state_file, value):
    with pytest.raises(CheckpointError, match=r"holds values that are not finite in 'net\.fc3\.bias'\. Its training"):
        import_foreign_checkpoint(state_file({"net.fc3.bias": torch.tensor([value], dtype=torch.float64)}))


# --- defects ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.pt is empty. Download it again."),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 53109107\n",
            "x.pt is a Git LFS pointer, not the weights themselves. Fetch them with: git lfs pull.",
        ),
        (
            b"\xef\xbb\xbf \n<!DOCTYPE html><html><title>Virus scan warning</title>",
            "x.pt is a web page, not a model file: the download needed a confirmation. Download it in a browser.",
        ),
        (
            b"\x89PNG\r\n\x1a\n0000",
            "x.pt is not a model file: expected one of torch.save or safetensors, found a file that begins with "
            r"b'\x89PNG\r\n\x1a\n'. Choose a model file.",
        ),
        (pickle.dumps({"a": 1}), "x.pt is a pickle, but not one that torch.save wrote. Choose a model file."),
        (
            struct.pack("<Q", 900) + b'{"a":',
            "x.pt is damaged or cut short: its safetensors data break off or make no sense. Download it again.",
        ),
        (b"PK\x03\x04", "x.pt is damaged or cut short: its zip container is broken. Download it again."),
    ],
    ids=["empty", "lfs", "html", "png", "pickle", "safetensors", "zip"],
)
def test_a_file_that_is_no_checkpoint_is_called_what_it_is(tmp_path, content, message):
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    for read in (read_foreign_state_dict, import_foreign_checkpoint):
        with pytest.raises(CheckpointError) as caught:
            read(path)
        assert str(caught.value) == message


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(CheckpointError, match=r"^There is no file .*absent\.pt\. Check the path\.$"):
        read_foreign_state_dict(tmp_path / "absent.pt")
    with pytest.raises(CheckpointError, match=r"is a folder; expected a model file\.$"):
        read_foreign_state_dict(tmp_path)


def test_a_zip_of_something_else_and_a_torchscript_program_are_told_apart(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as container:
        container.writestr("a.txt", "hello")
    with pytest.raises(CheckpointError, match=r"is a zip file, but not one that torch\.save wrote\. Choose"):
        read_foreign_state_dict(tmp_path / "photos.zip")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as container:
        container.writestr("script/data.pkl", pickle.dumps(1))
        container.writestr("script/constants.pkl", pickle.dumps(()))
    with pytest.raises(CheckpointError, match=r"is a TorchScript program\. Save the network's state dict"):
        read_foreign_state_dict(tmp_path / "script.pt")


@LAYOUTS
def test_a_file_without_tensors_and_one_of_odd_values_are_refused(tmp_path, zipped):
    path = save_script_object({"epoch": 3}, tmp_path / "model.pt", zipped)
    with pytest.raises(CheckpointError, match=r"^model\.pt holds no weights\. Choose a model file\.$"):
        read_foreign_state_dict(path)
    path = save_script_object({"a": torch.zeros(2, dtype=torch.complex64)}, tmp_path / "model.pt", zipped=True)
    with pytest.raises(CheckpointError, match=r"holds values of the type 'ComplexFloatStorage'; expected floats"):
        read_foreign_state_dict(path)


def test_a_compressed_archive_cannot_unpack_to_more_than_its_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("bomb/data.pkl", b"\x80\x02" + b"N0" * 1_000_000 + b"N.")
    with pytest.raises(CheckpointError, match=r"torch\.save compresses nothing, and its parts never exceed the whole"):
        read_foreign_state_dict(tmp_path / "bomb.pt")


def test_a_file_beyond_the_size_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(imported, "FILE_SIZE_LIMIT", 2**20)
    (tmp_path / "large.pt").write_bytes(bytes(2**20 + 1))
    with pytest.raises(CheckpointError, match=r"^large\.pt is over 1 MiB large\. Choose a smaller model\.$"):
        read_foreign_state_dict(tmp_path / "large.pt")


# --- hostile files ----------------------------------------------------------------------------------------------------


class Attack:
    """What a malicious pickle asks for when it is loaded."""

    def __init__(self, function, *arguments):
        self.request = function, arguments

    def __reduce__(self):
        return self.request


_WATCHED = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "exec",
    "compile",
    "import",
    "pickle.find_class",
}
_events = None


def _watch(event, _):
    if _events is not None and event in _WATCHED:
        _events.append(event)


sys.addaudithook(_watch)


@contextmanager
def nothing_executed():
    """Fail if Python imports, compiles or executes anything, starts a program or looks up a pickled class."""
    global _events
    for text_encoding in ("raw-unicode-escape", "cp437"):  # Python imports these itself, at their first use
        codecs.lookup(text_encoding)
    _events = []
    try:
        yield
        assert _events == []
    finally:
        _events = None


@LAYOUTS
def test_malicious_pickles_never_run(tmp_path, zipped):
    target = tmp_path / "owned"
    weights = small_network().state_dict()
    attacks = [
        Attack(os.system, f"touch {target}"),
        Attack(eval, f"open({str(target)!r}, 'w')"),
        Attack(exec, f"open({str(target)!r}, 'w')"),
        Attack(__import__, "this"),
    ]
    for attack in attacks:
        path = save_script_object({"state_dict": weights, "note": attack}, tmp_path / "model.pt", zipped)
        with nothing_executed():
            assert_same_weights(read_foreign_state_dict(path), weights)
        path = save_script_object(attack, tmp_path / "model.pt", zipped)
        with nothing_executed(), pytest.raises(CheckpointError, match=r"^model\.pt holds no weights"):
            read_foreign_state_dict(path)
    assert not target.exists()
    path = save_script_object(attacks[0], tmp_path / "model.pt", zipped)
    torch.load(path, weights_only=False)
    assert target.exists(), "the same file does run when it is loaded the ordinary way"


def test_calls_and_objects_become_records():
    data = pickle.dumps(
        [Attack(os.system, "ls"), OrderedDict(a=1), {"b": {2}}, {("tuple",): 1, 3: 4, "c": b"d"}, int], 2
    )
    call, ordered, plain, keyed, name = read_inert(io.BytesIO(data), lambda _: None, "x.pt")
    assert isinstance(call, Record)
    assert call.class_name in ("posix.system", "nt.system")
    assert call.arguments == ("ls",)
    assert ordered.class_name == "collections.OrderedDict"
    assert ordered.items == {"a": 1}
    assert plain["b"].arguments == ([2],)
    assert list(keyed) == ["c"], "only string keys are kept"
    assert isinstance(name, Name)
    assert name.dotted == "__builtin__.long"


def legacy_file(object_pickle, keys=(), storages=b""):
    head = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    return head + object_pickle + pickle.dumps(list(keys), 2) + storages


NESTED_KEY = b"\x80\x02}" + b")" + b"\x85" * 100_000 + b"Ns."
DOUBLING_KEY = b"\x80\x02})" + b"2\x86" * 60 + b"Ns."
HUGE_MEMO = b"\x80\x02}r\xff\xff\xff\x7f."
HUGE_STRING = b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a."
HUGE_LONG = b"\x80\x02\x8b\xff\xff\xff\x7f1."
JOINED_NAMES = b"\x80\x04X" + struct.pack("<I", 10**6) + b"a" * 10**6 + b"q\x00" + b"h\x00\x930h\x00" * 10_000 + b"."
STACK_UNDERFLOW = b"\x80\x02R."
EXTENSION = b"\x80\x02\x82\x01."


@pytest.mark.parametrize(
    "object_pickle",
    [NESTED_KEY, DOUBLING_KEY, HUGE_MEMO, HUGE_STRING, HUGE_LONG, JOINED_NAMES, STACK_UNDERFLOW, EXTENSION],
    ids=["nested-key", "doubling-key", "memo", "string", "long", "names", "underflow", "extension"],
)
def test_pickles_that_exhaust_stack_time_or_memory_are_refused(tmp_path, object_pickle):
    path = tmp_path / "x.pt"
    path.write_bytes(legacy_file(object_pickle))
    with pytest.raises(CheckpointError, match=r"^x\.pt (holds no weights|is damaged or cut short)"):
        read_foreign_state_dict(path)


def test_a_network_that_contains_itself_is_refused(tmp_path):
    network = nn.Module()
    network._modules["again"] = network
    network._modules["twice"] = network
    path = save_script_object(network, tmp_path / "model.pt", zipped=True)
    with pytest.raises(
        CheckpointError, match=r"is more complicated than a model: over 20,000 tensors, or endlessly nested"
    ):
        read_foreign_state_dict(path)


def test_the_number_of_instructions_is_limited(tmp_path, monkeypatch):
    path = save_script_object(small_network(), tmp_path / "model.pt", zipped=True)
    monkeypatch.setattr(inert_pickle, "INSTRUCTION_LIMIT", 100)
    with pytest.raises(CheckpointError, match=r"its pickle has over 100 instructions\. Save the network's state dict"):
        read_foreign_state_dict(path)


@pytest.mark.parametrize(
    ("count", "offset", "size", "stride"),
    [
        (4, 0, (2**40,), (0,)),
        (4, 1, (4,), (1,)),
        (4, 0, (2, 2), (1, 3)),
        (4, 0, (2,), (-1,)),
        (4, -1, (2,), (1,)),
        (4, 0, (2,), (1, 1)),
        (4, 0, (1,) * 100, (1,) * 100),
        (4, 0, ("2",), (1,)),
        (10**9, 0, (10**9,), (1,)),
    ],
)
def test_a_tensor_beyond_its_data_is_refused(tmp_path, count, offset, size, stride):
    class Stored:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Reference(), offset, size, stride, False, OrderedDict())

    class Reference:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, "0", "cuda:0", count, None) if isinstance(value, Reference) else None

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"weight": Stored()})
    path = tmp_path / "x.pt"
    path.write_bytes(legacy_file(stream.getvalue(), ["0"], struct.pack("<q4f", 4, 1, 2, 3, 4)))
    with pytest.raises(CheckpointError, match=r"^x\.pt is damaged or cut short: a tensor.*\. Download it again\.$"):
        read_foreign_state_dict(path)


# --- fuzz -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    network = small_network()
    safetensors.torch.save_file(dict(network.state_dict()), folder / "model.safetensors")
    return {
        "legacy": save_script_object(network, folder / "legacy.pt", zipped=False).read_bytes(),
        "zip": save_script_object(network, folder / "zip.pt", zipped=True).read_bytes(),
        "safetensors": (folder / "model.safetensors").read_bytes(),
        "path": folder / "fuzzed.pt",
    }


def read_or_refuse(path, content):
    path.write_bytes(content)
    with nothing_executed():
        try:
            return read_foreign_state_dict(path)
        except CheckpointError as error:
            message = str(error)
    assert message.startswith("fuzzed.pt ")
    assert len(message) < 500
    return None


FORMATS = st.sampled_from(["legacy", "zip", "safetensors"])
UNIT = st.floats(0, 1, exclude_max=True)
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(FORMATS, UNIT)
@example("legacy", 0.999)
@example("zip", 0.999)
@example("safetensors", 0.999)
def test_every_truncated_file_is_refused(small_files, kind, fraction):
    content = small_files[kind]
    assert read_or_refuse(small_files["path"], content[: int(fraction * len(content))]) is None


@QUICK
@given(FORMATS, st.lists(st.tuples(UNIT, st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_are_read_or_refused_but_never_crash(small_files, kind, flips):
    content = bytearray(small_files[kind])
    for place, change in flips:
        content[int(place * len(content))] ^= change
    read_or_refuse(small_files["path"], bytes(content))


@QUICK
@given(st.lists(st.sampled_from([bytes([code]) for code in range(256)]) | st.binary(max_size=9), max_size=60))
def test_random_instructions_are_read_or_refused_but_never_crash(small_files, instructions):
    read_or_refuse(small_files["path"], legacy_file(b"\x80\x02" + b"".join(instructions) + b"."))


@QUICK
@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.lists(st.integers()) | st.text(), max_size=4)
)
def test_any_safetensors_header_is_read_or_refused(small_files, header):
    text = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | header}).encode()
    read_or_refuse(small_files["path"], struct.pack("<Q", len(text)) + text + bytes(8))
