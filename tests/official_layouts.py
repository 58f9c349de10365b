"""Tiny copies of the published databases in their official layouts, with the quirks of the originals."""

import csv

import numpy as np
from openpyxl import Workbook
from PIL import Image
from scipy.io import savemat


def save_picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    formats = {".bmp": "BMP", ".jpg": "JPEG", ".png": "PNG"}
    Image.fromarray(pixels).save(path, format=formats[path.suffix.lower()])


def write_table(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


TID2013_NAMES = {  # what the score file says: what lies on the disk
    "I01_01_1.bmp": "i01_01_1.bmp",
    "i01_01_2.bmp": "i01_01_2.bmp",
    "I01_11_1.BMP": "I01_11_1.bmp",
    "i25_24_5.bmp": "I25_24_5.BMP",
}
TID2013_SCORES = ["5.51429", "4.94444", "0.24242", "7.21429"]


def build_tid2013(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(TID2013_NAMES.values()):
        save_picture(folder / "distorted_images" / name, seed)
    save_picture(folder / "reference_images" / "I01.BMP", 90)
    save_picture(folder / "reference_images" / "i25.bmp", 91)
    lines = [f"{score} {name}" for score, name in zip(TID2013_SCORES, TID2013_NAMES, strict=True)]
    (folder / "mos_with_names.txt").write_text("\r\n".join(lines) + "\r\n\r\n")
    return folder


KADID10K_ROWS = [
    ("I01_01_01.png", "I01.png", "4.57", "0.496"),
    ("I01_25_05.png", "I01.png", "1", "0.8"),
    ("I81_09_03.png", "I81.png", "5", "0"),
]


def build_kadid10k(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(["I01.png", "I81.png", *(row[0] for row in KADID10K_ROWS)]):
        save_picture(folder / "images" / name, seed)
    write_table(folder / "dmos.csv", ("dist_img", "ref_img", "dmos", "var"), KADID10K_ROWS)
    return folder


CID2013_ROWS = [
    ("IS_I_C01_D01", 60.5, 61.25),
    ("IS_I_C02_D13", 20, 25),
    ("IS_II_C01_D01", 50, 0),
    ("IS_III_C08_D02", 50, 100),
    ("IS_IV_C03_D01", 50, 40),
    ("IS_V_C03_D01", 50, 41),
    ("IS_VI_C06_D14", 50, 42),
]
CID2013_FILES = [
    *("IS1/co1/IS_I_C01_D01.jpg", "IS1/co2/IS_I_C02_D13.jpg", "IS2/co1/IS_II_C01_D01.jpg"),
    *("IS3/co8/IS_III_C08_D02.jpg", "IS4/co3/IS_IV_C03_D01.jpg", "IS5/co3/IS_V_C03_D01.jpg"),
    "IS6/co6/IS_VI_C06_D14.jpg",
]


def build_cid2013(folder, sheet="CID2013 MOS", header=("Source_ID", "Image set specific  MOS", "Realigned MOS ")):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(CID2013_FILES):
        save_picture(folder / name, seed)
    workbook = Workbook()
    workbook.active.title = "Read me"
    page = workbook.create_sheet(sheet)
    for row in [(), header, *CID2013_ROWS, (None, None, None)]:
        page.append(row)
    workbook.save(folder / "CID2013 data - version 12112014.xlsx")
    return folder


LIVE_CHALLENGE_NAMES = ["3.bmp", "4.bmp", "246.bmp", "333.bmp", "1169.JPG"]
LIVE_CHALLENGE_SCORES = [44.446122, 31.978314, 52.030488, 51.092896, 92.43]


def build_live_challenge(folder, names=LIVE_CHALLENGE_NAMES, scores=LIVE_CHALLENGE_SCORES):
    practice = [f"t{number}.bmp" for number in range(1, 8)]
    for seed, name in enumerate(names):
        save_picture(folder / "Images" / name, 2 if name == "333.bmp" else seed)  # 246.bmp is the same photo
    for seed, name in enumerate(practice, start=100):
        save_picture(folder / "Images" / "trainingImages" / name, seed)
    data = folder / "Data"
    data.mkdir()
    cells = np.empty((7 + len(names), 1), dtype=object)
    cells[:, 0] = practice + names
    contents = {
        "AllImages_release": cells,
        "AllMOS_release": np.array([[50.0] * 7 + list(scores)]),
        "AllStdDev_release": np.full((1, 7 + len(names)), 20.0),
    }
    for name, value in contents.items():
        savemat(data / f"{name}.mat", {name: value}, do_compression=True)  # as MATLAB does
    return folder


KONIQ10K_ROWS = [  # name, shares of the grades 1 to 5, number of raters, z-score MOS, set
    ("10004473376.jpg", (0, 0, 25, 73, 7), 105, 77.3836206897, "training"),
    ("10007357496.jpg", (0, 3, 45, 47, 1), 96, 68.7285714286, "test"),
    ("10043785683.jpg", (0, 0, 46, 60, 0), 106, 71.2043269231, "validation"),
    ("10344921126.jpg", (93, 16, 0, 0, 0), 109, 4.46638655462, "training"),
]


def koniq10k_mos(votes):
    return sum(grade * count for grade, count in enumerate(votes, start=1)) / sum(votes)


def build_koniq10k(folder, files=("scores", "sets"), sizes=("1024x768",)):
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        for seed, row in enumerate(KONIQ10K_ROWS):
            save_picture(folder / size / row[0], seed)
    columns = ("image_name", "c1", "c2", "c3", "c4", "c5", "c_total", "MOS", "SD")
    if "scores" in files:
        rows = [(name, *votes, n, koniq10k_mos(votes), 0.5, z) for name, votes, n, z, _ in KONIQ10K_ROWS]
        write_table(folder / "koniq10k_scores_and_distributions.csv", (*columns, "MOS_zscore"), rows)
    if "sets" in files:
        rows = [(name, *(vote / n for vote in votes), n, z, 0.5, part) for name, votes, n, z, part in KONIQ10K_ROWS]
        write_table(folder / "koniq10k_distributions_sets.csv", (*columns, "set"), rows)
    return folder


BIQ2021_ROWS = {  # name in the score file, MOS
    "training": [("ss03 (3753).jpg", "0.8471"), ("ss01 (1726).jpg", "0.0000"), ("ss02 (1014).jpg", "0.3201")],
    "test": [("ss02 (7).jpg", "1.0000")],
}
BIQ2021_FILES = {"training": "Train (Images and MOS).csv", "test": "Test (Images and MOS).csv"}


def build_biq2021(folder, splits=("training", "test")):
    folder.mkdir(parents=True, exist_ok=True)
    for split in splits:
        for seed, (name, _) in enumerate(BIQ2021_ROWS[split], start=len(split)):
            name = "ss02 (1014).JPG" if name == "ss02 (1014).jpg" else name  # the only file that is spelled so
            save_picture(folder / "Images" / name, seed)
        rows = [(*row, "", "") for row in BIQ2021_ROWS[split]]
        write_table(folder / BIQ2021_FILES[split], ("Image Name", "MOS", "", ""), rows)
    return folder


BUILDERS = {
    "tid2013": build_tid2013,
    "kadid10k": build_kadid10k,
    "cid2013": build_cid2013,
    "live-challenge": build_live_challenge,
    "koniq10k": build_koniq10k,
    "biq2021": build_biq2021,
}
