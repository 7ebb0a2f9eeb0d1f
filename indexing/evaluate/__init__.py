"""How well an index finds the pages that answer questions: read questions, run, measure, compare.

questions.py   a JSONL file of questions with evidence pages
beir.py        a folder of corpus, queries and qrels
published/     sets with answers in their authors' layouts: MMLongBench-Doc, MADQA, DocScope, FinanceBench, SlideVQA
vidore.py      a dataset in one of ViDoRe's formats, by name or from a local copy
runs.py        the rankings that are compared: text, OCR, vectors, all together
metrics.py     nDCG, recall and MRR by ir-measures, their intervals, and the test of a difference
compare.py     all of it together: a report
plot.py        the report as a picture

Needs the extra `eval`, but for reading JSONL and BEIR.
"""
