"""Which test shows what of the files that people have: one list, held against the tests that there are.

The folder of small inputs that went wrong once, of which some of these are copies, is read where it lies beside the
clone, in shared/data/cases, or where CASES_FOLDER names it.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDER = Path(os.environ.get("CASES_FOLDER") or TESTS.parent.parent / "shared" / "data" / "cases")

#: What must hold, and the tests that show it: file, and function or several.
SHOWN: dict[str, dict[str, str]] = {
    "a run never ends because of one file": {
        "crop box outside the media box": "odd_files: a_crop_box_outside_the_page_shows_the_whole_page",
        "a name that is no UTF-8, of two lines; pipes, sockets, devices, links in circles":
            "odd_files: odd_names_and_files_that_are_none",
        "pages promised and not there, page trees in circles": "odd_files: pages_that_are_promised_and_not_there",
        "whatever stands in a sidecar, NaN": "odd_files: whatever_stands_in_a_sidecar_is_one_failure",
        "summary and status always come": "odd_files: the_summary_and_the_status_always_come",
        "bytes at random": "odd_files: bytes_at_random",
        "pictures, PDFs, mails, web pages, office files, names that mean no good":
            "hostile_files: a_folder_of_hostile_files_is_gone_through_to_its_end",
        "time of a page": "odd_files: a_page_that_takes_too_long_is_given_up",
        "memory of a page": "odd_files: a_page_that_takes_too_much_memory_is_given_up",
        "size, pages, pixels": "odd_files: size_pages_and_pixels_have_limits",
        "pixels before they are decoded": "render: a_decompression_bomb_is_refused_before_it_is_decoded",
        "the same limits where a page is shown": "odd_files: the_same_limits_hold_where_a_page_is_shown",
        "Ctrl-C": "odd_files: a_run_that_is_stopped_leaves_no_process_and_keeps_what_is_written",
        "what was hashed is what is read": "odd_files: what_was_hashed_is_what_is_read",
        "files removed and changed meanwhile":
            "hostile_files: files_that_change_while_others_are_read_are_named_or_as_they_were",
        "what pdfium refuses poppler draws": "odd_files: a_page_that_pdfium_refuses_is_drawn_by_poppler",
        "words that the picture does not show": "odd_files: words_that_the_picture_does_not_show_are_a_warning",
        "a page whose content is destroyed": "damaged_pages: a_page_whose_content_is_destroyed_is_named",
        "an empty page is no fault": "damaged_pages: an_empty_page_is_no_fault",
        "a picture that cannot be decoded": "damaged_pages: a_picture_that_cannot_be_decoded_is_named",
    },
    "what stands on the page is what is found": {
        "words in pictures beside a layer": "text_regions: words_in_a_picture_are_read_beside_the_layer_in_their_place",
        "letters that stand for others": "text_regions: letters_that_stand_for_others_are_read_from_the_picture",
        "sound layers need no OCR": "text_regions: a_sound_layer_is_not_compared_with_ocr",
        "layers of OCR over scans":
            "text_regions: an_invisible_layer_over_a_scan_counts_where_it_says_what_is_printed",
        "what nobody sees": "text_regions: what_nobody_sees_is_not_read",
        "raised digits": "text_regions: raised_and_lowered_digits_are_no_part_of_the_number",
        "letter-spaced headings": "text_regions: letters_that_are_set_apart_are_words_and_columns_of_letters_are_not",
        "shadows": "text_regions: a_shadow_says_nothing_twice",
        "hyphens at line ends": "text_regions: a_hyphen_at_the_end_of_a_line_stays_where_it_belongs_to_the_word",
        "columns of scans": "text_regions: the_columns_of_a_scan_are_read_one_after_the_other",
        "attachments, portfolios":
            "attachments: what_a_portfolio_holds_is_found_under_its_own_name_and_what_is_no_document_is_named",
        "files pinned to pages": "attachments: what_is_pinned_to_a_page_is_a_document_of_its_own",
        "printed page labels": "printed_labels: a_page_is_found_by_what_is_printed_on_it",
        "texts beyond 65,535 bytes": "long_texts: *",
        "labels without end": "printed_labels: a_table_of_labels_without_end_takes_no_page_along",
        "forms, notes, comments": "forms: *",
        "annotations on layers": "forms: annotations_on_a_layer_that_is_off_are_neither_read_nor_shown",
        "letters that are lines": "text_regions: letters_of_lines_alone_are_read",
        "fractions": "text_regions: fractions_are_printed_whatever_they_are_made_of",
        "no question reads pages again": "kept_words: no_ocr_is_run_for_a_scanned_page_that_was_indexed",
    },
    "languages": {
        "words without spaces": "languages: a_word_within_a_sentence_without_spaces_is_found_quoted_and_marked",
        "terms by script": "languages: a_term_is_what_its_script_takes_for_one",
        "function words": "languages: questions_lose_the_function_words_of_their_own_language",
        "one character": "languages: one_character_finds_and_quotes_the_line_that_holds_it",
        "scans in other scripts": "text_regions: scans_in_other_scripts_are_read_where_tesseract_is",
        "pictures in other scripts": "text_regions: a_picture_in_another_script_beside_a_layer_is_read_or_named",
        "scripts that cannot be read": "text_regions: without_tesseract_such_a_scan_is_a_warning_and_no_guess",
    },
    "more kinds of files": {
        "office files": "other_kinds: office_files_are_read_quoted_and_shown",
        "tables": "other_kinds: tables_are_read_whole_with_what_formulas_come_to",
        "narrow columns": "far_cells: numbers_that_are_wider_than_their_column_are_seen",
        "far cells of OpenDocument": "far_cells: a_print_range_of_an_opendocument_table_ends_before_the_gap",
        "a stray far cell": "far_cells: a_table_with_a_far_cell_is_read_and_that_is_told",
        "slides": "other_kinds: slides_are_pages",
        "comments of office files": "other_kinds: comments_are_read_beside_what_they_are_on",
        "speaker's notes": "other_kinds: notes_of_a_speaker_are_pages_behind_the_slides",
        "time of LibreOffice": "other_kinds: libreoffice_is_given_up_after_its_time",
        "texts, Markdown, web pages": "other_kinds: texts_are_drawn_as_pages",
        "nothing is fetched": "other_kinds: nothing_that_a_web_page_names_is_fetched_or_opened",
        "mails": "other_kinds: a_mail_is_a_page_and_what_it_brings_along_are_documents",
        "HEIC, AVIF": "other_kinds: pictures_of_phones_and_archives_are_read",
        "passwords": "given_documents: a_protected_document_is_read_and_shown_with_its_password",
        "passwords of office files":
            "other_kinds: a_protected_office_file_is_read_with_its_password_which_is_not_kept",
        "https": "downloads: redirects_are_checked",
        "object stores": "object_stores: *",
        "watching": "watching: what_changes_is_indexed_until_ctrl_c",
        "bytes and open files": "given_documents: bytes_and_open_files_are_added_by_their_names",
        "some pages": "given_documents: only_the_pages_that_are_wanted_are_read_under_their_own_numbers",
        "what was passed over": "odd_files: the_summary_and_the_status_always_come",
    },
    "our own things stay out": {
        "indexes and what pagesight wrote": "odd_files: an_index_and_what_pagesight_wrote_are_passed_over",
        "no two labels share a picture": "odd_files: no_two_labels_share_a_picture",
        "a link keeps its name": "odd_files: a_link_keeps_its_name_and_its_bytes",
    },
}  # fmt: skip


def names_in(name: str) -> set[str]:
    tree = ast.parse((TESTS / f"test_{name}.py").read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name.removeprefix("test_") for name in functions if name.startswith("test_")}


@pytest.mark.parametrize("section", SHOWN)
def test_each_case_has_a_test(section: str) -> None:
    for case, shown in SHOWN[section].items():
        file, _, name = shown.partition(": ")
        there = names_in(file)
        assert there if name == "*" else name in there, f"{case}: there is no {shown}"


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"there is no folder of cases at {FOLDER}")
def test_all_cases_of_a_folder_are_right() -> None:
    script = TESTS.parent / "benchmarks" / "cases.py"
    done = subprocess.run([sys.executable, str(script), str(FOLDER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-1_000:]
