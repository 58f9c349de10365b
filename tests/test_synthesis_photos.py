"""Which photos may be references, which part of them is used, and which scores belong to them."""

import numpy as np
import pytest
from PIL import Image
from synthesis_fixtures import pristine_pixels, write_photos

from metaiqa_core.cli import main
from metaiqa_core.distortions import distort, find_distortion
from metaiqa_core.errors import DatabaseError
from metaiqa_core.progress import finish
from metaiqa_core.synthesis import SynthesisConfig, find_photos, select_references
from metaiqa_core.synthesis.compression_traces import is_lossy, jpeg_quality
from metaiqa_core.synthesis.labels import mean_label, people_label, read_tid2013_scores
from metaiqa_core.synthesis.pristine import blocking, luma_of, noisy_share, sharpness
from metaiqa_core.synthesis.references import cut

TINY = SynthesisConfig("kadid10k", size=(128, 96), smallest_size=(128, 96))


def select(folder, config=TINY):
    return finish(select_references(find_photos([folder]), config))


def save(folder, name, pixels, **options):
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name, **options)


def test_bad_photos_are_listed_with_their_reason_and_the_others_are_used(tmp_path):
    folder = write_photos(tmp_path / "photos", count=2)
    good = pristine_pixels(7)
    wall = np.full((96, 128, 3), 110, np.uint8)
    wall[20:, 37:] = 200
    save(folder, "blurred.png", distort(good, "kadid10k:GB", 3))
    save(folder, "blocks.png", np.array(Image.open(_jpeg(tmp_path, pristine_pixels(8, (160, 120)), 10))))
    save(folder, "coarse.jpg", pristine_pixels(9, (160, 120)), quality=60)
    save(folder, "flat.png", np.full((96, 128, 3), 128, np.uint8))
    save(folder, "grain.png", distort(wall, "kadid10k:WN", 2))
    save(folder, "small.png", good[:, :120])
    save(folder, "small.jpg", pristine_pixels(10), quality=95)
    save(folder, "twin.png", pristine_pixels(1))
    (folder / "broken.png").write_bytes(b"no photo")
    selection = select(folder)
    assert [reference.name for reference in selection.references] == ["scene-1", "scene-2"]
    reasons = selection.refused
    assert set(reasons) == {
        *("blurred.png", "blocks.png", "coarse.jpg", "flat.png", "grain.png", "small.png", "small.jpg", "twin.png"),
        "broken.png",
    }
    assert reasons["small.png"] == "small.png is 120 x 96 pixels: at least 128 x 96 are needed."
    assert reasons["small.jpg"] == (
        "small.jpg is 128 x 96 pixels: at least 143 x 107 are needed, because its lossy compression asks for a "
        "reduction."
    )
    assert reasons["coarse.jpg"] == "coarse.jpg was saved as a JPEG of quality 60: at least 85 is needed."
    assert reasons["flat.png"] == "flat.png shows hardly any edges, so it cannot be told whether it is sharp."
    assert reasons["twin.png"] == "twin.png shows the same as scene-1.png."
    assert reasons["blurred.png"].startswith("blurred.png is blurred or was enlarged: its sharpest edges reach 0.")
    assert reasons["blocks.png"].startswith("blocks.png shows a grid, as compression or enlargement leaves it (")
    assert reasons["grain.png"].startswith("grain.png is noisy: noise prevails in ")


def _jpeg(folder, pixels, quality):
    Image.fromarray(pixels).save(folder / "once.jpg", quality=quality)
    return folder / "once.jpg"


def test_a_folder_without_a_usable_photo_is_an_error_that_quotes_the_first_reason(tmp_path):
    save(tmp_path / "photos", "small.png", pristine_pixels(1, (100, 90)))
    with pytest.raises(DatabaseError) as caught:
        select(tmp_path / "photos")
    assert str(caught.value) == (
        "None of the 1 photos can be used. The first: small.png is 100 x 90 pixels: at least 128 x 96 are needed."
    )


def test_large_photos_are_reduced_and_portraits_are_cut_upright(tmp_path):
    save(tmp_path / "photos", "tall.png", pristine_pixels(1, (192, 300)))
    save(tmp_path / "photos", "wide.png", pristine_pixels(2, (300, 192)))
    tall, wide = select(tmp_path / "photos").references
    assert (tall.window.scaled_size, tall.window.size, tall.window.top) == ((96, 150), (96, 128), 11)
    assert (wide.window.scaled_size, wide.window.size, wide.window.left) == ((150, 96), (128, 96), 11)
    assert cut(tall).shape == (128, 96, 3)
    assert cut(wide).shape == (96, 128, 3)


def test_small_photos_get_smaller_windows_of_the_same_shape_where_that_is_allowed(tmp_path):
    save(tmp_path / "photos", "small.jpg", pristine_pixels(1, (126, 84)), quality=95)
    config = SynthesisConfig("kadid10k", size=(128, 96), smallest_size=(96, 72))
    [small] = select(tmp_path / "photos", config).references
    assert small.window.size == (100, 75)  # 25/32 of 128x96, the most that 0.9 of 84 rows holds
    assert small.window.scaled_size == (112, 75)


def test_names_become_plain_and_stay_unique(tmp_path):
    for seed, name in enumerate(["Été à Paris.png", "scene.png", "SCENE.bmp"]):
        save(tmp_path / "photos", name, pristine_pixels(seed))
    names = [reference.name for reference in select(tmp_path / "photos").references]
    assert names == ["scene", "scene-2", "t-paris"]


@pytest.mark.parametrize("quality", [30, 50, 60, 75, 90, 95, 100])
def test_the_quality_of_a_jpeg_is_read_off_its_tables(tmp_path, quality):
    assert jpeg_quality(_jpeg(tmp_path, pristine_pixels(1), quality)) == pytest.approx(quality, abs=1)


def test_lossy_and_lossless_files_are_told_apart(tmp_path):
    pixels = pristine_pixels(1)
    transparent = np.dstack([pixels, np.full(pixels.shape[:2], 100, np.uint8)])  # gives WebP an extended header
    for name, array, options in [
        ("plain.webp", pixels, {"lossless": False}),
        ("exact.webp", pixels, {"lossless": True}),
        ("clear.webp", transparent, {"lossless": False}),
        ("clear-exact.webp", transparent, {"lossless": True}),
        ("photo.png", pixels, {}),
        ("photo.jpg", pixels, {}),
    ]:
        Image.fromarray(array).save(tmp_path / name, **options)
    lossy = {path.name for path in tmp_path.iterdir() if is_lossy(path)}
    assert lossy == {"plain.webp", "clear.webp", "photo.jpg"}
    assert jpeg_quality(tmp_path / "photo.png") is None


def test_the_measures_of_damage_tell_it_from_content():
    clean = pristine_pixels(3, (256, 192))
    luma = luma_of(clean)
    assert sharpness(luma) > 0.95  # hard edges
    for level, most in ((3, 0.45), (4, 0.3)):  # sigma 1, 2: a blurred step is 0.4 / sigma steep
        assert sharpness(luma_of(distort(clean, "kadid10k:GB", level))) < most
    assert noisy_share(luma) == 0
    slope = np.tile(np.linspace(120, 150, 256), (192, 1))
    noise = np.random.default_rng(0).normal(0, 4, slope.shape)
    assert noisy_share(slope + noise) > 0.9
    assert noisy_share(slope + noise / 4) == 0  # a deviation of 1 of 255 is below what counts
    grain = np.random.default_rng(1).normal(128, 5, (192, 256))
    stairs = grain + np.repeat(np.random.default_rng(2).normal(0, 6, 32), 8)  # every eight columns, as a fence might
    blocks = stairs + np.repeat(np.random.default_rng(3).normal(0, 6, 24), 8)[:, None]
    assert blocking(grain) < 0.6
    assert blocking(stairs) < 0.6
    assert blocking(blocks) > 1
    assert blocking(blocks[3:, 5:]) > 1  # a cropped photo's grid begins elsewhere


@pytest.fixture
def kodak(tmp_path):
    folder = tmp_path / "kodak"
    save(folder, "kodim03.png", pristine_pixels(3, (768, 512)))
    save(folder, "kodim04.PNG", pristine_pixels(4, (512, 768)))
    save(folder, "kodim05.png", pristine_pixels(5, (768, 512)))
    return folder


def test_tid2013_uses_the_windows_that_people_saw_where_they_are_known(kodak):
    selection = select(kodak, SynthesisConfig("tid2013"))
    third, fourth, fifth = selection.references
    assert np.array_equal(cut(third), pristine_pixels(3, (768, 512))[44 : 44 + 384, 73 : 73 + 512])
    assert np.array_equal(cut(fourth), pristine_pixels(4, (512, 768))[206 : 206 + 384])
    assert np.array_equal(cut(fifth), pristine_pixels(5, (768, 512))[64 : 64 + 384, 128 : 128 + 512])
    assert [reference.window.exact for reference in selection.references] == [True, True, False]


def test_tid2013_takes_only_the_kodak_suite(kodak):
    save(kodak, "holiday.png", pristine_pixels(6, (768, 512)))
    save(kodak, "kodim25.png", pristine_pixels(7, (768, 512)))
    save(kodak, "kodim06.png", pristine_pixels(8, (640, 480)))
    refused = select(kodak, SynthesisConfig("tid2013")).refused
    assert refused == {
        "holiday.png": "holiday.png is not named kodim01 to kodim24: tid2013-kodak is made of the Kodak suite alone, "
        "because people scored those photos.",
        "kodim25.png": "kodim25.png is not named kodim01 to kodim24: tid2013-kodak is made of the Kodak suite alone, "
        "because people scored those photos.",
        "kodim06.png": "kodim06.png is 640x480 pixels, the Kodak suite's photos are 768x512 or 512x768.",
    }


def test_each_image_gets_its_own_score_from_the_score_file(tmp_path):
    file = tmp_path / "mos.txt"
    file.write_text("5.51429 I01_01_1.bmp\n4.25 i17_08_4.bmp\n\n", encoding="utf-8")
    label = people_label(read_tid2013_scores(file), tmp_path / "kodim17.webp", find_distortion("tid2013:GB"), 4)
    assert (label.mos, label.std, label.source) == (4.25, None, "people")
    with pytest.raises(DatabaseError) as caught:
        people_label(read_tid2013_scores(file), tmp_path / "kodim17.webp", find_distortion("tid2013:GB"), 5)
    assert str(caught.value) == ("The score file holds no score of i17_08_5.bmp: use the complete mos_with_names.txt.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "mos.txt is empty: expected TID2013's mos_with_names.txt."),
        (
            "5.5 I01_01_1.bmp\n4.4\n",
            "mos.txt, line 2: expected a score and a name such as '5.51429 I01_01_1.bmp', got '4.4'.",
        ),
        ("9.5 I01_01_1.bmp", "mos.txt, line 1: expected a score from 0 to 9, got '9.5'."),
        ("nan I01_01_1.bmp", "mos.txt, line 1: expected a score from 0 to 9, got 'nan'."),
    ],
)
def test_a_wrong_score_file_is_refused_with_its_line(tmp_path, text, sentence):
    (tmp_path / "mos.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DatabaseError) as caught:
        read_tid2013_scores(tmp_path / "mos.txt")
    assert str(caught.value) == sentence


def test_the_mean_label_is_in_the_raw_scale_of_its_database():
    label = mean_label(find_distortion("kadid10k:GB"), 5)  # 1.30272: see test_opinion_scores
    assert (label.mos, label.source) == (pytest.approx(1.30272, abs=1e-4), "means")


def test_the_command_makes_a_database_says_what_it_takes_and_names_what_it_refused(tmp_path, capsys):
    photos = write_photos(tmp_path / "photos", count=1)
    save(photos, "small.png", pristine_pixels(9, (100, 90)))
    words = ["synthesize", "--like", "kadid10k", "--photos", str(photos), "--output", str(tmp_path / "out")]
    words += ["--size", "128x96", "--types", "MS", "kadid10k:CC", "--levels", "5", "1", "--workers", "1"]
    assert main(words) == 1  # done, but one photo failed
    assert capsys.readouterr().err.splitlines() == [
        "refused: small.png is 100 x 90 pixels: at least 128 x 96 are needed.",
        "kadid10k-style: 1 references x 2 types x 2 levels = 4 images; about 135.2 kB are still to be written",
        f"4 images in {tmp_path / 'out'}, 4 of them made now",
    ]
    (photos / "small.png").unlink()
    assert main(words) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"4 images in {tmp_path / 'out'}, 0 of them made now"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--like", "kadid10k", "--photos", "{empty}/none"],
            "There is no folder {empty}/none: --photos names a folder of pristine photos.",
        ),
        (
            ["--like", "kadid10k", "--photos", "{empty}"],
            "The folder {empty} holds no photo: expected files such as .png, .jpg or .webp.",
        ),
        (["--like", "tid2013", "--photos", "{empty}", "--types", "tid2013:GBB"], None),
        (["--like", "kadid10k", "--photos", "{empty}", "--workers", "0"], "--workers must be 1 or more, got 0."),
        (["--like", "kadid10k", "--photos", "{empty}", "--size", "large"], None),
        (["--like", "live", "--photos", "{empty}"], None),
    ],
)
def test_bad_usage_is_one_line_and_status_2(tmp_path, capsys, words, sentence):
    words = [word.format(empty=tmp_path) for word in words]
    try:
        status = main(["synthesize", *words, "--output", str(tmp_path / "out")])
    except SystemExit as end:
        status = end.code
    error = capsys.readouterr().err
    assert (status, len(error.splitlines())) == (2, 1)
    if sentence:
        assert error == sentence.format(empty=tmp_path) + "\n"
    assert list(tmp_path.iterdir()) == []
