"""The pages that people read: every command in them, with what it says there."""
import documents
from registry import test


def play_section(section):
    return lambda host: documents.play(host, section)


for page in documents.pages():
    if page.endswith(".zh.md"):
        continue  # its blocks are those of the English page, as tests/docs makes sure
    for part in documents.sections(page):
        kind = dict(part.setup).get("engine", "docs")
        test(f"{kind}: {page}, part {part.number}", needs=part.needs, seconds=240)(play_section(part))
