"""Our images are those that cmark-gfm, the reference renderer, shows, whatever stands around them."""

from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.fidelity import compare

IMAGES = st.sampled_from(
    ["![a](https://images.example.com/x.jpg)", '![b *c*](y.png "t")', "[![l](z.gif)](u)", "![x](<a b.jpg>)", "![x](a(b).jpg)",
     "![x]( s.jpg )", "![alt [n] m](n.jpg)", "![](e.jpg)", "![u](é.jpg)", "![r]", "\n\n[r]: https://images.example.com/r.jpg\n\n",
     '<img src="h.jpg">', "<img alt='q' src=u.jpg/>", '<IMG SRC=\'v.jpg\' alt="x y">', "<p>![in](p.jpg)</p>\n"]
)  # fmt: skip
NO_IMAGES = st.sampled_from(
    [" `![c](c.jpg)` ", "\\![e](e.jpg)", "\n\n```\n![f](f.jpg)\n```\n\n", "\n\n    ![i](i.jpg)\n", "<!-- ![m](m.jpg) -->"]
)  # fmt: skip
SURROUNDINGS = st.one_of(
    st.sampled_from(
        ["> ", "- ", "1. ", "# ", "\n", "\n\n", " ", "text ", "*", "**", "_", "&amp;", "<div>\n", "</div>\n", "<figure>\n", "</figure>\n",
         "\n\n| a | b |\n|---|---|\n| ![t](t.jpg) | x |\n\n"]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=5),
)  # fmt: skip


@given(st.lists(st.one_of(IMAGES, NO_IMAGES, SURROUNDINGS), max_size=10).map("".join))
def test_our_images_are_the_reference_renderers(body: str):
    # Shortcodes are unknown to it; and Python's HTML parser, which reads its answer, takes <! for SGML.
    assume("{" not in body and "<!" not in body.replace("<!-- ", ""))
    # Two backticks that no two close hide there what follows one.
    assume("``" not in body.replace("```", ""))
    # An indented line ends a table there, and is its next row here.
    assume(not ("|---" in body and "\n    " in body))
    # A tag on a separate line ends the paragraph of an item or a quotation there, and goes on with it here.
    assume(not ("\n<" in body and any(mark in body for mark in ("> ", "- ", "1. "))))
    compared = compare(f"---\ntitle: x\n---\n{body}".encode(), "any.md")
    assert compared
    assert (compared.ours, compared.theirs) == ([], [])
