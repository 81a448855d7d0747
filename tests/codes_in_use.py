"""Which dotted codes the code base uses, read from its syntax.

A code is what is given to an error of the tree, to a Finding, Alarm, Rule or Constraint, or as
`code=` or `reason=` to anything. Where a function passes a parameter on as a code, the arguments
of its callers count. What is only known at run time stands in `COMPUTED`.
"""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway import errors
from gateway.directory import GateReason
from gateway.outbound import oidc, webhook
from gateway.packs import inspection
from gateway.rules.webhooks import Disable
from gateway.store import faults

ROOT = Path(errors.__file__).parent
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+")
ERRORS = {
    name: one
    for name, one in vars(errors).items()
    if inspect.isclass(one) and issubclass(one, errors.GatewayError)
}
FIRST = {*ERRORS, "Constraint"} - {"SchemaViolation", "IllegalTransition"}
"""What takes a code as its first argument."""
KEYWORDS = frozenset({"code", "reason", "last_code"})

COMPUTED = {
    "keys/renewal.py": {
        f"certs.{name}"
        for name in ("expired", "not_yet_valid", "oin", "revoked", "untrusted", "usage", "weak_key")
    }
    | {"certs.revocation_unknown", "certs.unreadable"},
    "outbound/outcome.py": {
        *(code for _kind, code, _text in (*webhook._CODES, *oidc._CODES)),
        *("webhook.lost", "oidc.lost"),
    },
    "packs/inspection.py": {
        code for code, _text in (*inspection._WORST.values(), inspection._UNREADABLE)
    },
    "pipeline/deliver.py": {"http.*"},
    "pipeline/webhooks.py": {"webhook.http.*"},
    "rules/webhooks.py": set(Disable),
    "store/claim.py": {f"gate.{reason}" for reason in GateReason},
    "store/lateness.py": {"toets.wacht", "toets.verzoek"},
    "store/postvak.py": {f"gate.{reason}" for reason in GateReason},
    "store/ending.py": {"delivery.dead", "delivery.refused", "delivery.unknown"},
    "store/faults.py": set(faults._TEXTS),
    "web/control.py": {"command.reden", "command.door"},
    "worker.py": {"bug.*"},
}
"""Module → codes that it puts together from parts. `*` is any last part."""


@dataclass(frozen=True)
class Use:
    code: str
    kind: str
    """The class that carries it, or the name of what was called."""
    module: str


@dataclass(frozen=True)
class _Carrier:
    """A function that passes a parameter on as (a part of) a code."""

    module: str
    function: str
    parameter: str
    position: int
    before: str
    kind: str


class _Module:
    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text())
        self.functions: dict[ast.AST, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._own(self.tree, None)
        self.constants = {
            target.id: node.value.value
            for node in self.tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }

    def _own(self, node: ast.AST, function) -> None:
        for child in ast.iter_child_nodes(node):
            if function is not None:
                self.functions[child] = function
            inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            self._own(child, inner)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _assigned(function: ast.AST | None, name: str) -> Iterator[ast.expr]:
    """Yield what a local name is set to, where that stands there: `x = …`, `for x, y in (…)`."""
    for node in ast.walk(function) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from _matched(names, values, name)
            case ast.For(target=ast.Tuple(elts=names), iter=ast.Tuple(elts=rows)):
                for row in rows:
                    if isinstance(row, ast.Tuple):
                        yield from _matched(names, row.elts, name)


def _matched(names: list[ast.expr], values: list[ast.expr], name: str) -> Iterator[ast.expr]:
    for target, value in zip(names, values, strict=False):
        if isinstance(target, ast.Name) and target.id == name:
            yield value


class Scan:
    """All modules of the package, read once."""

    def __init__(self) -> None:
        paths = [p for p in sorted(ROOT.rglob("*.py")) if not {"versions", "codes"} & set(p.parts)]
        self.modules = [_Module(path) for path in paths]
        self.constants = {k: v for module in self.modules for k, v in module.constants.items()}
        self.uses: set[Use] = set()
        self.unknown: set[tuple[str, str]] = set()
        self._carriers: set[_Carrier] = set()
        self._scan()

    def codes(self) -> dict[str, set[str]]:
        """Return code → kinds."""
        found = defaultdict(set)
        for use in self.uses:
            found[use.code].add(use.kind)
        for codes in COMPUTED.values():
            for code in codes:
                found[code].add("computed")
        return dict(found)

    def _scan(self) -> None:
        before = -1
        while before != len(self._carriers):
            before = len(self._carriers)
            for module in self.modules:
                for node in ast.walk(module.tree):
                    if isinstance(node, ast.Call):
                        self._call(module, node)

    def _call(self, module: _Module, call: ast.Call) -> None:
        name = _called(call)
        if name in FIRST and call.args:
            self._take(module, call, call.args[0], name, "")
        for keyword in call.keywords:
            if keyword.arg in KEYWORDS or (name == "Reason" and keyword.arg == "rule"):
                self._take(module, call, keyword.value, name, "")
        for carrier in [c for c in self._carriers if c.function == name]:
            self._carried(module, call, carrier)

    def _carried(self, module: _Module, call: ast.Call, carrier: _Carrier) -> None:
        if module.name != carrier.module and carrier.function.startswith("_"):
            return
        given = [k.value for k in call.keywords if k.arg == carrier.parameter]
        given = given or call.args[carrier.position : carrier.position + 1]
        for value in given:
            self._take(module, call, value, carrier.kind, carrier.before)

    def _take(self, module, call, value: ast.expr, kind: str, before: str) -> None:
        for text, parameter, prefix in self._parts(module, call, value):
            if text is not None:
                if CODE.fullmatch(before + text):
                    self.uses.add(Use(before + text, kind, module.name))
            elif not self._carry(module, call, parameter, kind, before + prefix):
                self.unknown.add((module.name, ast.unparse(value)))

    def _parts(self, module, call, value: ast.expr) -> Iterator[tuple[str | None, str, str]]:
        """Yield texts, or parameters with what stands before them."""
        match value:
            case ast.Constant(value=str(text)):
                yield text, "", ""
            case ast.IfExp(body=body, orelse=other):
                yield from self._parts(module, call, body)
                yield from self._parts(module, call, other)
            case ast.JoinedStr(
                values=[ast.Constant(value=prefix), ast.FormattedValue(value=ast.Name(id=name))]
            ):
                yield None, name, prefix
            case ast.Name(id=name):
                known = module.constants.get(name) or self.constants.get(name)
                local = [] if known else list(_assigned(module.functions.get(call), name))
                for one in local:
                    yield from self._parts(module, call, one)
                if not local:
                    yield known, name, ""

    def _carry(self, module, call, parameter: str, kind: str, before: str) -> bool:
        function = module.functions.get(call)
        while function is not None:
            arguments = function.args
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
            method = bool(names) and names[0] in {"self", "cls"}
            if parameter in names or parameter in {a.arg for a in arguments.kwonlyargs}:
                position = names.index(parameter) - method if parameter in names else 99
                self._carriers.add(
                    _Carrier(module.name, function.name, parameter, position, before, kind)
                )
                return True
            function = module.functions.get(function)
        return False


if __name__ == "__main__":
    scan = Scan()
    for code, kinds in sorted(scan.codes().items()):
        print(code, sorted(kinds))
    print(*sorted(scan.unknown), sep="\n")
