"""The graph module: order, multiplicities, finite values, and photos that do not depend on each other."""

import numpy as np
import pytest
import torch

from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.graph_check import largest_difference
from metaiqa_core.engine.graph_files import MOST_DIFFERENCE
from metaiqa_core.models.distortion_graph.edges import (
    EdgeFeatures,
    EdgeOperator,
    EdgesOfNodes,
    GraphConvolution,
    NodeOperator,
    edge_numbers,
)
from metaiqa_core.models.distortion_graph.graph_config import GraphConfig
from metaiqa_core.models.distortion_graph.graph_module import DistortionGraph
from metaiqa_core.models.distortion_graph.graph_network import GraphNetwork
from metaiqa_core.models.distortion_graph.quarter_features import Quarters, ToneBins
from metaiqa_core.models.regressor_config import RegressorConfig

DEFECTS = (Defect("", NOTHING), Defect("kadid10k:GB", "blurred"), Defect("kadid10k:WN", "noisy"))
CONFIG = GraphConfig(
    RegressorConfig("mobilenet_v3_small", pooled=(2, 4, 9)),
    DEFECTS,
    tone=4,
    fused=12,
    edge_widths=(10, 8, 6),
    node_widths=(10, 8, 7),
)


def seeded(build, *arguments, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(*arguments).eval()


@pytest.fixture(scope="module")
def graph():
    return seeded(DistortionGraph, 5, CONFIG)


def nodes(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_graph_has_the_published_widths_by_default():
    config = GraphConfig(RegressorConfig("resnet18", pooled=(5,)), DEFECTS)
    assert (config.fused, config.edge_widths, config.node_widths) == (2048, (1024, 512, 64), (1024, 512, 256))


def full_graph(features, edge_graph):
    """The edge graph with all N^2 edges, in double precision."""
    unit = features / features.norm(dim=-1, keepdim=True)
    count = len(unit)
    edges = (unit[:, None] * unit[None]).reshape(count * count, -1)
    own = edges / edges.norm(dim=-1, keepdim=True)
    similarity = own @ own.T
    roots = (similarity.abs().sum(1) + 1).rsqrt()
    operator = roots[:, None] * (similarity + torch.eye(len(own), dtype=own.dtype)) * roots
    values = edges
    for number, layer in enumerate(edge_graph.layers):
        values = (operator @ (values.relu() if number else values)) @ layer.weight.T + layer.bias * operator.sum(
            1, keepdim=True
        )
    return values.reshape(count, count, -1)


@pytest.mark.parametrize("count", [1, 2, 5, 32])
def test_reduced_edges_give_what_all_edges_give(count):
    features = nodes(count, 12).double()
    edge_graph = seeded(GraphConvolution, 12, (10, 8, 6)).double()
    with torch.no_grad():
        edges = EdgeFeatures()(features[None], count)
        codes = edge_graph(edges, EdgeOperator()(edges, count))[0]
        expected = full_graph(features, edge_graph)
    spread = codes[edge_numbers(count)].reshape(count, count, -1)
    assert len(codes) == count * (count + 1) // 2
    assert (spread - expected).abs().max() < 1e-5
    means, own = EdgesOfNodes()(codes[None], count)
    assert torch.allclose(means[0], expected.mean(1), atol=1e-5)
    assert torch.allclose(own[0], expected[range(count), range(count)], atol=1e-5)


def test_the_node_operator_is_that_of_the_sigmoid_of_the_mean_edge_code():
    codes = nodes(1, 6, 4)
    weights = np.zeros((3, 3))
    for number, place in enumerate(edge_numbers(3)):
        weights[number // 3, number % 3] = 1 / (1 + np.exp(-codes[0, place].mean().item()))
    degrees = weights.sum(1) + 1
    expected = (weights + np.eye(3)) / np.sqrt(np.outer(degrees, degrees))
    np.testing.assert_allclose(NodeOperator()(codes, 3)[0].numpy(), expected, atol=1e-6)


def test_the_order_of_the_nodes_does_not_matter(graph):
    features, order = nodes(2, 6, 5), torch.tensor([3, 0, 5, 1, 4, 2])
    with torch.no_grad():
        given, turned = graph(features, 6), graph(features[:, order], 6)
    assert torch.allclose(given.type_code, turned.type_code, atol=1e-5)
    assert torch.allclose(given.logits, turned.logits, atol=1e-5)
    for name in ("level", "deviation", "quality"):
        assert torch.allclose(getattr(given, name)[:, order], getattr(turned, name), atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_answers_and_gradients_are_finite_for_one_node_and_for_nodes_that_are_opposites(graph, count, scale):
    features = scale * nodes(1, count, 5)
    features[:, ::2] *= -1
    features.requires_grad_(True)
    readings = graph(features, count)
    assert all(one.isfinite().all() for one in readings)
    assert (readings.deviation > 0).all()
    sum(one.sum() for one in readings).backward()
    assert features.grad.isfinite().all()


def test_negative_similarities_of_edges_make_no_code_longer():
    edges = torch.tensor([[[1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]]])
    operator = EdgeOperator()(edges, 2)
    counts = torch.tensor([1.0, 2.0, 1.0]).sqrt()  # as symmetric as that of all four edges
    assert torch.linalg.matrix_norm(counts[:, None] * operator[0] / counts, 2) <= 1 + 1e-6


def test_without_negative_similarities_the_operator_is_the_published_one():
    edges = nodes(1, 3, 4).abs()
    unit = edges[0] / edges[0].norm(dim=1, keepdim=True)
    similarity = (unit @ unit.T)[[0, 1, 1, 2]][:, [0, 1, 1, 2]]  # all four edges of two nodes
    roots = (similarity + torch.eye(4)).sum(1).rsqrt()
    expected = (roots[:, None] * (similarity + torch.eye(4)) * roots) @ edges[0][[0, 1, 1, 2]]
    assert torch.allclose((EdgeOperator()(edges, 2) @ edges)[0], expected[[0, 1, 3]], atol=1e-6)


def test_without_edges_nodes_do_not_see_each_other():
    alone = seeded(DistortionGraph, 5, GraphConfig(CONFIG.backbone, DEFECTS, fused=12, edges=False))
    features = nodes(1, 4, 5)
    with torch.no_grad():
        level = alone(features, 4).level
        features[:, 1:] += 1
        assert torch.equal(alone(features, 4).level[:, 0], level[:, 0])


def test_the_features_of_quarters_are_numpys_means_and_deviations():
    maps = nodes(2, 3, 5, 6)
    rows, columns = (slice(0, 3), slice(2, 5)), (slice(0, 3), slice(3, 6))  # of five rows, both halves have the third
    statistics = Quarters()(maps).numpy()
    for place, (row, column) in enumerate((row, column) for row in rows for column in columns):
        part = maps[:, :, row, column].double().numpy()
        expected = np.concatenate([part.mean((2, 3)), np.sqrt(part.var((2, 3)) + 1e-6)], 1)
        np.testing.assert_allclose(statistics[:, place], expected, atol=1e-5)


def test_the_tones_of_a_pixel_add_up_to_one_and_a_grey_photo_has_one_tone():
    bins = ToneBins(5)
    maps = bins(torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(maps.unflatten(1, (5, 5)).sum(2), torch.ones(1, 5, 4, 4), atol=1e-5)
    grey = bins(torch.full((1, 3, 8, 8), 0.25)).unflatten(1, (5, 5))
    assert torch.allclose(grey[0, 3, 1], torch.ones(4, 4))
    assert torch.allclose(grey[0, 4, 0], torch.ones(4, 4))  # no colour


@pytest.fixture(scope="module")
def network():
    return seeded(GraphNetwork, CONFIG)


def test_a_photos_answer_does_not_depend_on_its_batch(network):
    photos = torch.rand(3, 3, 128, 144, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = network(photos), torch.cat([network(photo[None]) for photo in photos])
    assert together.shape == (3, 3 + len(DEFECTS) + 7)
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("fused", [0, 8])
def test_the_onnx_graph_of_a_graph_model_gives_its_output(fused):
    backbone = RegressorConfig("efficientnet_lite0", pooled=(2, 4, 6, 8), folded=True, adapters=(4, 8), fused=fused)
    config = GraphConfig(backbone, DEFECTS, tone=4, fused=12, edge_widths=(10, 8, 6), node_widths=(10, 8, 7))
    network = seeded(GraphNetwork, config)
    assert largest_difference(network, export_graph(network)) < MOST_DIFFERENCE


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"backbone": RegressorConfig("resnet18")}, "the levels of the graph model are stages of its backbone"),
        ({"defects": DEFECTS[:1]}, "defects must be two or more, all different, got 1"),
        ({"defects": (DEFECTS[0], Defect("a", "ugly"))}, "the words of defects must be among .* got 'ugly'"),
        ({"tone": 1}, "tone must be 0 or from 2 to 64 bins, got 1"),
        ({"fused": 0}, "widths must be from 1 to 4096, got 0"),
    ],
)
def test_configurations_that_make_no_graph_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        GraphConfig(**{"backbone": CONFIG.backbone, "defects": DEFECTS, **fields})
