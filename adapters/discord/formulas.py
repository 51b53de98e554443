r"""LaTeX -> letters that can be read without it: ``\frac{a}{b} \leq x^2`` becomes ``a/b ≤ x²``. Pure.

Discord shows LaTeX as it is typed. What is not known here keeps its name, so nothing that was said is lost.
"""

import re

_KNOWN = """
    alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ pi π rho ρ
    sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ
    Phi Φ Psi Ψ Omega Ω varepsilon ε vartheta ϑ varphi φ varrho ϱ varsigma ς ell ℓ hbar ℏ Re ℜ Im ℑ aleph ℵ
    times × cdot · div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet • oplus ⊕ otimes ⊗ sum ∑ prod ∏ int ∫ iint ∬ oint ∮
    le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ in ∈ notin ∉ ni ∋
    subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ cup ∪ cap ∩ setminus ∖ emptyset ∅ varnothing ∅ forall ∀ exists ∃
    nexists ∄ neg ¬ lnot ¬ land ∧ wedge ∧ lor ∨ vee ∨ top ⊤ bot ⊥ vdash ⊢ models ⊨ partial ∂ nabla ∇ infty ∞
    to → rightarrow → leftarrow ← leftrightarrow ↔ mapsto ↦ uparrow ↑ downarrow ↓ Rightarrow ⇒ implies ⇒
    Leftarrow ⇐ Leftrightarrow ⇔ iff ⇔ longrightarrow ⟶ angle ∠ degree ° prime ′ ldots … dots … cdots ⋯ vdots ⋮
    ddots ⋱ langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ mid ∣ parallel ∥ perp ⊥ triangle △ therefore ∴
    because ∵ lVert ‖ rVert ‖ Vert ‖
"""
_SYMBOLS = {
    **dict(zip(_KNOWN.split()[::2], _KNOWN.split()[1::2], strict=True)),
    **dict.fromkeys(("quad", "qquad", "space", ",", ";", ":", " "), " "),
    **dict.fromkeys(("limits", "nolimits", "displaystyle", "textstyle", "!"), ""),
}
_RAISED = str.maketrans("0123456789+-=()niabcdefghjklmoprstuvwxyzT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ")
_LOWERED = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_DOUBLE_STRUCK = str.maketrans("CHNPQRZ", "ℂℍℕℙℚℝℤ")

_ARGUMENT = r"\{([^{}]*)\}"
_ATOM = r"(?:\{([^{}]*)\}|(\\[A-Za-z]+|[^\s{}\\(]))"
_SIZE = re.compile(r"\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])\s*\.?")
_BRACES, _KEPT = ("\\{", "\\}"), ("\x01", "\x02")  # braces to be shown, and what stands for them meanwhile
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[A-Za-z]*\*?\}(?:\{[lcr|]*\})?")
_FRACTION = re.compile(rf"\\[dt]?frac\s*{_ARGUMENT}\s*{_ARGUMENT}")
_SHORT_FRACTION = re.compile(r"\\[dt]?frac\s*(\w)\s*(\w)")
_ROOT = re.compile(rf"\\sqrt\s*(?:\[([^\[\]]*)\])?\s*{_ARGUMENT}")
_NAMED = re.compile(rf"\\(mathbb|[A-Za-z]+)\s*{_ARGUMENT}")
_SCRIPT = re.compile(rf"([\^_])\s*{_ATOM}")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)")
_SIMPLE = re.compile(r"[\w.∞′ⁿ]*")
_DEEPEST = 6


def is_formula(tex: str) -> bool:
    """Whether what stands between the marks of a formula is one, and not the words between two prices."""
    return bool(re.search(r"[\\^_=+<>{}]", tex)) or not re.search(r"[^\W\d_]{2,}", tex)


def readable(tex: str) -> str:
    """A formula in plain letters, one line for each of its own."""
    text = _SIZE.sub("", _ENVIRONMENT.sub("", tex))
    text = re.sub(r"\\\\(?:\[[^\[\]]*\])?", "\n", text)
    text = re.sub(r"(?<!\\)&", " ", text)
    for brace, kept in zip(_BRACES, _KEPT, strict=True):
        text = text.replace(brace, kept)
    for _ in range(_DEEPEST):  # from the inside out
        before = text
        text = _SCRIPT.sub(_script, text)
        text = _ROOT.sub(_root, text)
        text = _FRACTION.sub(_fraction, text)
        text = _SHORT_FRACTION.sub(r"\1/\2", text)
        text = _NAMED.sub(_named, text)
        if text == before:
            break
    text = _COMMAND.sub(lambda found: _SYMBOLS.get(found[1], found[1]), text).replace("~", " ")
    text = re.sub("[{}]", "", text).translate({1: "{", 2: "}"})
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def raised(text: str) -> str:
    """A superscript; in brackets where Unicode lacks a letter of it."""
    return _moved(text, "^", _RAISED)


def lowered(text: str) -> str:
    """A subscript; in brackets where Unicode lacks a letter of it."""
    return _moved(text, "_", _LOWERED)


def _moved(text: str, mark: str, letters: dict[int, int]) -> str:
    bare = text.strip()
    if bare and all(ord(char) in letters for char in bare):
        return bare.translate(letters)
    return f"{mark}{bare}" if len(bare) == 1 else f"{mark}({bare})"


def _script(found: re.Match[str]) -> str:
    inside = found[2] if found[2] is not None else found[3]
    inside = _COMMAND.sub(lambda command: _SYMBOLS.get(command[1], command[0]), inside)
    return raised(inside) if found[1] == "^" else lowered(inside)


def _root(found: re.Match[str]) -> str:
    return f"{raised(found[1]) if found[1] else ''}√{_grouped(found[2])}"


def _fraction(found: re.Match[str]) -> str:
    return f"{_grouped(found[1])}/{_grouped(found[2])}"


def _grouped(text: str) -> str:
    shown = _COMMAND.sub(lambda command: _SYMBOLS.get(command[1], command[0]), text.strip())
    return shown if _SIMPLE.fullmatch(shown) else f"({shown})"


def _named(found: re.Match[str]) -> str:
    name, inside = found.groups()
    if name == "mathbb":
        return inside.translate(_DOUBLE_STRUCK)
    return f"{_SYMBOLS[name]} {inside}" if name in _SYMBOLS else inside
