"""Pictures of pages: what a viewer shows, at the resolution asked for, and never more than the limit."""

from __future__ import annotations

import shutil
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from documents import (
    altered,
    as_bytes,
    ink,
    pdf,
    pdf_of_pictures,
    picture_of_text,
    raw_pdf,
    without_pages,
)
from PIL import Image, ImageFile
from reportlab.lib.pdfencrypt import StandardEncryption

from pagesight.indexing.documents.document import check_region
from pagesight.indexing.documents.open import open_document
from pagesight.indexing.errors import BadRegion, MissingExtra, MissingPath, UnknownPage, UnreadableDocument


def shown(path: Path, number: int = 1, **asked) -> Image.Image:
    with open_document(path) as document:
        return document.picture(number, **asked)


def save(path: Path, picture: Image.Image, format: str, **options) -> Path:
    path.write_bytes(as_bytes(picture, format, **options))
    return path


def halves(size=(40, 20), left="red", right="blue") -> Image.Image:
    picture = Image.new("RGB", size, left)
    picture.paste(Image.new("RGB", (size[0] // 2, size[1]), right), (size[0] // 2, 0))
    return picture


def near(picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(picture.getpixel(at), colour, strict=True))


# sizes and resolutions


def test_a_page_has_its_size_in_points_and_its_picture_the_dots_asked_for(tmp_path):
    with open_document(pdf(tmp_path / "a.pdf")) as document:
        assert document.page_count == 1
        assert document.size(1) == (612, 792)
        assert document.picture(1).size == (1224, 1584)
        assert document.picture(1, dpi=72).size == (612, 792)
        assert document.picture(1, long_side=1000).size == (773, 1000)
        assert document.picture(1).mode == "RGB"


def test_pages_of_one_document_may_differ_in_size(tmp_path):
    path = pdf(tmp_path / "a.pdf", [[("a", 10, 10, 12)], [("b", 10, 10, 12)]], sizes=[(612, 792), (800, 300)])
    with open_document(path) as document:
        assert [document.size(number) for number in (1, 2)] == [(612, 792), (800, 300)]
        assert document.picture(2, dpi=72).size == (800, 300)


@pytest.mark.parametrize(("turn", "size"), [(0, (612, 792)), (90, (792, 612)), (180, (612, 792)), (270, (792, 612))])
def test_a_turned_page_is_shown_turned(tmp_path, turn, size):
    path = altered(pdf(tmp_path / "a.pdf", [[("I", 10, 760, 30)]]), turn=turn)
    with open_document(path) as document:
        assert document.size(1) == size
        left, top, *_ = ink(document.picture(1))
    corner = {0: (0, 0), 90: (1, 0), 180: (1, 1), 270: (0, 1)}[turn]
    assert (round(left), round(top)) == corner


def test_only_what_is_in_the_crop_box_is_shown(tmp_path):
    marks = [("inside", 150, 250, 20), ("outside", 20, 20, 20)]
    path = altered(pdf(tmp_path / "a.pdf", [marks]), crop=(100, 200, 300, 300))
    with open_document(path) as document:
        assert document.size(1) == (200, 100)
        left, top, right, bottom = ink(document.picture(1))
    assert left == pytest.approx(50 / 200, abs=0.02)
    assert bottom == pytest.approx(50 / 100, abs=0.02)
    assert (right, top) < (0.6, 0.4)


def test_an_enormous_page_is_shown_smaller(tmp_path):
    path = pdf(tmp_path / "a.pdf", [[("wide", 100, 100, 900)]], sizes=[(14400, 14000)])
    with open_document(path, max_pixels=1_000_000) as document:
        picture = document.picture(1, dpi=600)
        part = document.picture(1, dpi=6000, region=(500, 0, 1000, 1000))
    assert 0.9e6 < picture.width * picture.height <= 1_000_000
    assert 0.9e6 < part.width * part.height <= 1_000_000
    assert part.width / part.height == pytest.approx(14400 / 7000, rel=0.01)
    assert ink(picture)


@pytest.mark.parametrize("size", [(0.01, 10_000), (10_000, 0.01), (3, 3)])
def test_a_sliver_of_a_page_has_a_picture(tmp_path, size):
    with open_document(pdf(tmp_path / "a.pdf", [[]], sizes=[size]), max_pixels=50_000) as document:
        picture = document.picture(1, dpi=400)
    assert 1 <= picture.width * picture.height <= 50_000


@pytest.mark.parametrize("asked", [{"dpi": 0}, {"long_side": -1}, {"dpi": 100, "long_side": 100}])
def test_senseless_resolutions_are_refused(tmp_path, asked):
    with open_document(pdf(tmp_path / "a.pdf")) as document, pytest.raises(ValueError, match="dpi"):
        document.picture(1, **asked)


@pytest.mark.parametrize("number", [0, -1, 3])
def test_a_page_out_of_range_names_the_range(tmp_path, number):
    with open_document(pdf(tmp_path / "a.pdf", [[], []])) as document:
        with pytest.raises(UnknownPage, match="pages 1 to 2"):
            document.picture(number)
        with pytest.raises(UnknownPage, match=r"a\.pdf"):
            document.size(number)


# regions


def test_a_region_is_that_part_of_the_page(tmp_path):
    path = pdf(tmp_path / "a.pdf", [[("low right", 400, 100, 20)]])
    whole, part = shown(path, dpi=144), shown(path, dpi=144, region=(500, 500, 1000, 1000))
    assert part.size == (612, 792)
    cut = whole.crop((612, 792, 1224, 1584))
    assert np.abs(np.asarray(part, int) - np.asarray(cut, int)).mean() < 0.5
    assert ink(shown(path, region=(0, 0, 500, 500))) is None


def test_the_long_side_is_the_regions(tmp_path):
    picture = shown(pdf(tmp_path / "a.pdf"), long_side=800, region=(0, 0, 250, 1000))
    assert picture.size == (800, round(800 * 198 / 612))


def test_a_region_is_sharper_than_an_enlarged_part_of_the_page(tmp_path):
    marks = [(f"fine print number {line}", 72, 700 - 5 * line, 4) for line in range(20)]
    path = pdf(tmp_path / "a.pdf", [marks])
    region = (110, 100, 240, 250)
    anew = shown(path, long_side=1000, region=region)
    whole = shown(path, long_side=1000)
    edges = [round(edge * side / 1000) for edge, side in zip((100, 110, 250, 240), whole.size * 2, strict=True)]
    enlarged = whole.crop(edges).resize(anew.size, Image.Resampling.LANCZOS)

    def sharpness(picture):
        return np.abs(np.diff(np.asarray(picture.convert("L"), int), axis=1)).max(axis=1).mean()

    assert sharpness(anew) > 2 * sharpness(enlarged)


def test_a_region_of_a_turned_and_cropped_page_lies_on_what_is_shown(tmp_path):
    path = altered(pdf(tmp_path / "a.pdf", [[("word", 150, 250, 20)]]), turn=90, crop=(100, 200, 300, 300))
    left, top, right, bottom = ink(shown(path, dpi=200))
    region = (int(top * 1000) - 5, int(left * 1000) - 5, int(bottom * 1000) + 6, int(right * 1000) + 6)
    inside = ink(shown(path, dpi=200, region=region))
    assert inside[0] < 0.1
    assert inside[1] < 0.1
    assert inside[2] > 0.9
    assert inside[3] > 0.9


@pytest.mark.parametrize(
    ("region", "fault"),
    [
        ((600, 0, 500, 1000), "inverted"),
        ((0, 500, 1000, 500), "inverted"),
        ((0, 0, 1001, 1000), "outside"),
        ((-1, 0, 500, 500), "outside"),
        ((100, 100, 105, 900), "too small"),
        ((0, 0, 500), "four integers"),
        ((0.1, 0.1, 0.5, 0.5), "four integers"),
        ((0, 0, True, 500), "four integers"),
        ("0,0,500,500", "four integers"),
        (None, "four integers"),
        (7, "four integers"),
        (["0", "0", "a", "b"], "four integers"),
        ((float("nan"), 0, float("inf"), 500), "four integers"),
    ],
)
def test_a_bad_region_says_what_a_region_is(region, fault):
    with pytest.raises(BadRegion, match=fault) as caught:
        check_region(region)
    assert "[ymin, xmin, ymax, xmax]" in str(caught.value)
    assert "ymin < ymax" in str(caught.value)


def test_whole_numbers_in_any_writing_are_a_region():
    assert check_region([0, 10.0, np.int64(500), 1000]) == (0, 10, 500, 1000)


def test_a_picture_refuses_a_bad_region(tmp_path):
    with open_document(pdf(tmp_path / "a.pdf")) as document, pytest.raises(BadRegion):
        document.picture(1, region=(10, 10, 5, 20))


# PDFs that do not open, and some that do


def test_an_encrypted_pdf_without_a_user_password_opens(tmp_path):
    path = pdf(tmp_path / "a.pdf", encrypt=StandardEncryption("", ownerPassword="owner", strength=128))
    assert ink(shown(path))


def test_a_pdf_that_needs_a_password_says_the_way_out(tmp_path):
    path = pdf(tmp_path / "a.pdf", encrypt=StandardEncryption("user", strength=128))
    with pytest.raises(UnreadableDocument, match=r"a\.pdf needs a password.*--password-file"):
        open_document(path)


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"\x93garbage" * 400])
def test_a_broken_pdf_is_unreadable(tmp_path, content):
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(UnreadableDocument, match=r"a\.pdf"):
        open_document(tmp_path / "a.pdf")


def test_a_pdf_truncated_anywhere_opens_or_is_unreadable(tmp_path):
    whole = pdf(tmp_path / "whole.pdf", [[("a", 10, 10, 12)]] * 3).read_bytes()
    refused = 0
    for cut in range(20, len(whole), len(whole) // 40):
        (tmp_path / "a.pdf").write_bytes(whole[:cut])
        try:
            with open_document(tmp_path / "a.pdf") as document:
                for number in range(1, document.page_count + 1):
                    document.picture(number, dpi=20)
        except UnreadableDocument:
            refused += 1
    assert refused > 10


def test_a_pdf_without_pages_is_unreadable_whatever_was_opened_before(tmp_path):
    with pytest.raises(UnreadableDocument, match="password"):
        open_document(pdf(tmp_path / "closed.pdf", encrypt=StandardEncryption("user", strength=128)))
    with pytest.raises(UnreadableDocument, match="no pages"):
        open_document(without_pages(tmp_path / "a.pdf"))


def test_a_damaged_page_of_a_sound_pdf_is_named(tmp_path):
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    ]
    with open_document(raw_pdf(tmp_path / "a.pdf", objects)) as document:
        assert document.picture(1, dpi=72).size == (200, 200)
        with pytest.raises(UnreadableDocument, match=r"a\.pdf p\. 2"):
            document.picture(2)


def test_what_is_no_document_and_what_is_not_there(tmp_path):
    (tmp_path / "a.pdf").write_text("notes")
    with pytest.raises(UnreadableDocument, match="in spite of its name"):
        open_document(tmp_path / "a.pdf")
    with pytest.raises(MissingPath):
        open_document(tmp_path / "b.pdf")


def test_form_fields_are_shown(tmp_path):
    from reportlab.pdfgen import canvas

    drawing = canvas.Canvas(str(tmp_path / "a.pdf"), pagesize=(300, 200))
    drawing.acroForm.textfield(value="filled in", x=50, y=100, width=150, height=30, borderStyle="solid", name="f")
    drawing.showPage()
    drawing.save()
    left, _, right, _ = ink(shown(tmp_path / "a.pdf", dpi=144))
    assert left < 0.35
    assert right > 0.25


def test_a_closed_document_says_so_and_closes_twice(tmp_path):
    document = open_document(pdf(tmp_path / "a.pdf"))
    document.close()
    document.close()
    with pytest.raises(ValueError, match="closed"):
        document.picture(1)


def test_many_threads_render_at_once(tmp_path):
    paths = [pdf(tmp_path / f"{n}.pdf", [[(f"page {n}", 72, 700, 24)]] * 4) for n in range(4)]
    expected = [shown(path, 3, dpi=50).tobytes() for path in paths]
    wrong = []

    def work(path, right):
        with open_document(path) as document:
            wrong.extend(n for n in range(8) if document.picture(1 + n % 4, dpi=50).tobytes() != right)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(paths * 2, expected * 2, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# images


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_an_image_is_one_page(tmp_path, format):
    path = save(tmp_path / "a", halves(), format)
    with open_document(path) as document:
        assert document.page_count == 1
        picture = document.picture(1, long_side=40)
    assert picture.size == (40, 20)
    assert near(picture, (2, 10), (255, 0, 0), 40)
    assert near(picture, (37, 10), (0, 0, 255), 40)


def test_an_image_has_the_size_that_its_resolution_says(tmp_path):
    path = save(tmp_path / "a.png", Image.new("RGB", (600, 300)), "PNG", dpi=(300, 300))
    with open_document(path) as document:
        assert document.size(1) == pytest.approx((144, 72), abs=0.1)
        assert document.picture(1, dpi=150).size == (300, 150)
        assert document.picture(1, dpi=3000).size == (600, 300)
        assert document.picture(1, long_side=1200).size == (1200, 600)


def test_the_dots_of_a_fax_are_not_square(tmp_path):
    path = save(tmp_path / "a.tif", Image.new("1", (1728, 1100), 1), "TIFF", dpi=(204, 98), compression="group4")
    with open_document(path) as document:
        assert document.size(1) == pytest.approx((1728 / 204 * 72, 1100 / 98 * 72), rel=0.01)


@pytest.mark.parametrize("dpi", [(0, 0), (1, 1), (100_000, 100_000)])
def test_a_resolution_that_cannot_be_is_not_believed(tmp_path, dpi):
    with open_document(save(tmp_path / "a.jpg", Image.new("RGB", (60, 30)), "JPEG", dpi=dpi)) as document:
        assert document.size(1) == (60, 30)


def test_the_frames_of_a_tiff_are_pages(tmp_path):
    frames = [Image.new("RGB", (30 + n, 20), colour) for n, colour in enumerate(("red", "lime", "blue"))]
    path = save(tmp_path / "a.tif", frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with open_document(path) as document:
        assert document.page_count == 3
        assert [document.size(number)[0] for number in (1, 2, 3)] == [30, 31, 32]
        assert near(document.picture(3), (5, 5), (0, 0, 255))
        assert near(document.picture(1), (5, 5), (255, 0, 0))
        with pytest.raises(UnknownPage):
            document.picture(4)


def test_what_moves_is_one_page(tmp_path):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "lime")]
    path = save(tmp_path / "a.gif", frames[0], "GIF", save_all=True, append_images=frames[1:])
    with open_document(path) as document:
        assert document.page_count == 1


@pytest.mark.parametrize("format", ["JPEG", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_is_shown_the_way_it_was_held(tmp_path, format, orientation):
    held = halves((400, 200))
    turned = held.rotate({1: 0, 3: 180, 6: 90, 8: 270}[orientation], expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "photo", turned, format, exif=exif)
    with open_document(path) as document:
        assert document.size(1) == (400, 200)
        for picture in (document.picture(1), document.picture(1, region=(0, 0, 500, 1000)), document.picture(1, dpi=9)):
            width, height = picture.size
            assert near(picture, (width // 8, height // 2), (255, 0, 0), 60)
            assert near(picture, (width * 7 // 8, height // 2), (0, 0, 255), 60)


def test_what_is_transparent_is_white(tmp_path):
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 10, 20))
    palette = clear.convert("P")
    grey = Image.new("LA", (20, 20), (0, 0))
    for name, picture in {"rgba": clear, "la": grey}.items():
        assert near(shown(save(tmp_path / name, picture, "PNG")), (17, 10), (255, 255, 255))
    path = save(tmp_path / "p", palette, "PNG", transparency=palette.getpixel((17, 10)))
    assert near(shown(path), (17, 10), (255, 255, 255))
    assert near(shown(path), (3, 10), (255, 0, 0), 60)


@pytest.mark.parametrize(
    ("mode", "format"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("LAB", "TIFF"), ("P", "PNG"), ("1", "PNG")]
)
def test_images_of_any_mode_become_rgb(tmp_path, mode, format):
    picture = Image.new("RGB", (20, 20), "white")
    if mode == "LAB":
        picture = Image.new("LAB", (20, 20), (255, 128, 128))
    shown_picture = shown(save(tmp_path / "a", picture.convert(mode), format))
    assert shown_picture.mode == "RGB"
    assert min(shown_picture.getpixel((10, 10))) > 240


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_neither_black_nor_burnt_out(tmp_path, format):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (16, 1))
    picture = shown(save(tmp_path / "a", Image.fromarray(ramp), format))
    greys = np.asarray(picture)[8, :, 0].astype(int)
    assert np.abs(greys - np.linspace(0, 255, 64)).max() < 6


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_fewer_bits_of_grey_in_sixteen_are_not_black(tmp_path, bits):
    ramp = np.tile(np.linspace(0, 2**bits - 1, 64).astype(np.uint16), (16, 1))
    path = save(tmp_path / "a", Image.fromarray(ramp), "PNG")
    greys = np.asarray(shown(path))[8, :, 0].astype(int)
    assert np.abs(greys - np.linspace(0, 255, 64)).max() < 6
    with open_document(path) as document:  # the darker half is as dark alone
        part = np.asarray(document.picture(1, region=(0, 0, 1000, 500)).convert("L")).astype(int)
    assert abs(int(part[8, -1]) - 127) < 10


def test_floating_point_goes_from_darkest_to_lightest(tmp_path):
    ramp = np.tile(np.linspace(-3, 5, 64).astype(np.float32), (16, 1))
    greys = np.asarray(shown(save(tmp_path / "a.tif", Image.fromarray(ramp), "TIFF")))[8, :, 0]
    assert (int(greys[0]), int(greys[-1])) == (0, 255)


def test_a_large_photo_is_decoded_small_enough(tmp_path):
    path = save(tmp_path / "a.jpg", halves((4000, 2000)), "JPEG")
    with open_document(path, max_pixels=100_000) as document:
        picture = document.picture(1)
        part = document.picture(1, region=(0, 0, 1000, 250))
    assert picture.width * picture.height <= 100_000
    assert near(picture, (10, 10), (255, 0, 0))
    assert near(part, (part.width - 1, 5), (255, 0, 0))


def test_a_region_of_an_image_is_cut_from_its_own_pixels(tmp_path):
    picture = Image.effect_noise((400, 300), 90).convert("RGB")
    path = save(tmp_path / "a.png", picture, "PNG")
    part = shown(path, region=(500, 250, 1000, 750))
    assert part.tobytes() == picture.crop((100, 150, 300, 300)).tobytes()


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b""))
    with pytest.raises(UnreadableDocument, match="million pixels"):
        open_document(tmp_path / "a.png")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_truncated_image_is_unreadable(tmp_path, format, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint sets it, when it is first used
    whole = as_bytes(Image.effect_noise((200, 200), 80).convert("RGB"), format)
    for cut in (12, len(whole) // 2):
        (tmp_path / "a").write_bytes(whole[:cut])
        with pytest.raises(UnreadableDocument, match="damaged or truncated"):
            shown(tmp_path / "a")


def test_a_large_image_in_a_pdf_is_shown_within_the_limit(tmp_path):
    path = pdf_of_pictures(tmp_path / "a.pdf", [halves((3000, 2000))])
    with open_document(path, max_pixels=60_000) as document:
        picture = document.picture(1)
    assert picture.width * picture.height <= 60_000
    assert near(picture, (5, 5), (255, 0, 0))


# poppler


def test_without_poppler_the_message_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingExtra, match=r"apt install poppler-utils.*brew install poppler.*PAGESIGHT_RENDERER=pdfium"
    ):
        open_document(pdf(tmp_path / "a.pdf"), renderer="poppler")


def test_images_need_no_poppler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with open_document(save(tmp_path / "a.png", halves(), "PNG"), renderer="poppler") as document:
        assert document.picture(1).size == (40, 20)


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler is not installed")
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("region", [None, (100, 100, 900, 700)])
def test_poppler_and_pdfium_show_the_same(tmp_path, turn, region):
    path = altered(pdf(tmp_path / "a.pdf", [[("word", 150, 250, 30)]]), turn=turn, crop=(100, 200, 300, 300))
    pictures = []
    for renderer in ("pdfium", "poppler"):
        with open_document(path, renderer=renderer) as document:
            pictures.append(document.picture(1, dpi=200, region=region))
    assert pictures[0].size == pictures[1].size
    assert ink(pictures[0]) == pytest.approx(ink(pictures[1]), abs=0.02)


def test_pictures_of_text_can_be_read_back(tmp_path):
    """The maker of pictures in `documents` draws what it says, where it says."""
    left, top, _, _ = ink(picture_of_text([("word", 90, 60)]))
    assert (left, top) == pytest.approx((0.1, 0.1), abs=0.03)
    assert pypdfium2.PdfDocument(pdf(tmp_path / "a.pdf"))[0].get_textpage().get_text_bounded() == "hello"
