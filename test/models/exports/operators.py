"""Counts the operators (domain::name, with opset versions) over folders of ONNX files.

Usage: python operators.py FOLDER... A row: operator, nodes, models, the opsets of its domain.
"""

import collections
import pathlib
import sys

import onnx


def nodes_of(nodes):
    """Every node, those of subgraphs included."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_of(attribute.g.node)
            for graph in attribute.graphs:
                yield from nodes_of(graph.node)


def operators_of(model):
    """Counts by (domain, name, opset), with the bodies of the model's functions."""
    counts = collections.Counter()
    parts = [(model.graph.node, model.opset_import)]
    parts += [(function.node, function.opset_import) for function in model.functions]
    for nodes, imports in parts:
        versions = {entry.domain or 'ai.onnx': entry.version for entry in imports}
        for node in nodes_of(nodes):
            domain = node.domain or 'ai.onnx'
            counts[domain, node.op_type, versions.get(domain)] += 1
    return counts


def main(folders):
    nodes, models, opsets = collections.Counter(), collections.Counter(), collections.defaultdict(set)
    files = sorted(file for folder in folders for file in pathlib.Path(folder).rglob('*.onnx'))
    for file in files:
        try:
            counts = operators_of(onnx.load(file, load_external_data=False))
        except Exception as error:
            print(f'# not read: {file}: {type(error).__name__}')
            continue
        for (domain, name, version), count in counts.items():
            nodes[domain, name] += count
            opsets[domain, name].add(version or 0)
        models.update({(domain, name) for domain, name, _ in counts})
    print(f'# {len(files)} files, {len(nodes)} operators')
    print(f'{"operator":48} {"nodes":>7} {"models":>7}  opsets')
    for (domain, name), count in sorted(nodes.items(), key=lambda row: (row[0][0], -models[row[0]], row[0][1])):
        versions = ','.join(map(str, sorted(opsets[domain, name])))
        print(f'{domain + "::" + name:48} {count:7} {models[domain, name]:7}  {versions}')


if __name__ == '__main__':
    main(sys.argv[1:])
