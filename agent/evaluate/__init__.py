"""How good answers are: questions asked, answers kept and scored."""
