"""The collector of v1: rows go into CSV files. New scripts use azureml.ai.monitoring."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from scoring_worker.collect import UNKNOWN
from scoring_worker.collected_arrays import is_array, is_frame
from scoring_worker.collected_rows import blocks_of
from scoring_worker.columns import Block, Columns, ColumnType, column_types
from scoring_worker.context import current_request
from scoring_worker.port import port

_DESIGNATIONS = ("inputs", "predictions", "labels", "signals", "general")
# Those whose file has the name of the designation.
_FIXED = ("inputs", "predictions", "labels")
_CORRELATION_ID = "$aml_dc_correlation_id"
_DAY_MINUTES = 1440
_NO_WORKSPACE = "default/default/default"
_NO_REQUEST = "00000000-0000-0000-0000-000000000000"

Correlations = dict[str, Any]
"""The eight correlation columns, exactly: docs/data-collection.md."""


class ModelDataCollector:
    """Collects rows of a model under a designation. Raises no error into init() or run()."""

    def __init__(
        self,
        model_name: str,
        designation: str = "default",
        feature_names: Sequence[str] | None = None,
        workspace: str = _NO_WORKSPACE,
        webservice_name: str = "default",
        model_version: str = "default",
        collection_name: str = "default",
        *,
        identifier: str | None = None,
        types: Mapping[str, ColumnType] | None = None,
    ) -> None:
        """Makes a collector.

        `designation`: inputs, predictions, labels, signals, or general, the default; early
        versions called it `identifier`. `feature_names`: names of columns, for data that has
        none. `types`: as for Collector.
        """
        designation = designation if identifier is None else identifier
        self._model = str(model_name)
        self._designation = "general" if designation == "default" else designation
        self._feature_names = feature_names
        self._workspace = workspace
        self._webservice_name = webservice_name
        self._model_version = model_version
        self._file = self._designation if self._designation in _FIXED else collection_name
        self._is_wrong = False
        port.collector_made()
        try:
            if self._designation not in _DESIGNATIONS:
                expected = f"one of {', '.join(_DESIGNATIONS)} as designation"
                raise ValueError(f"ModelDataCollector: expected {expected}, got {designation}")
            self._types = column_types(types)
        except ValueError as wrong:
            self._is_wrong = True
            self._failed(wrong)

    def collect(self, input_data: Any, user_correlation_id: str = "") -> Correlations | None:
        """Hands rows over. Rows with correlation columns keep them.

        Returns correlations of `inputs`, for their predictions:
        `predictions.collect(predictions.add_correlations(rows, correlations))`.
        """
        correlations = self._correlations(user_correlation_id)
        answer = correlations if self._designation == "inputs" else None
        collection = port.collection
        if collection is None or self._is_wrong:
            return answer
        try:
            ident = _request_id() or correlations[_CORRELATION_ID]
            if collection.keeps(self._designation, ident):
                self._send(input_data, correlations)
        except Exception as error:
            self._failed(error)
        return answer

    def add_correlations(self, input_data: Any, correlations: Correlations | None) -> Any:
        """The data with the eight correlation columns: a DataFrame, or a list of rows.

        No rows where the data does not fit, which is logged and counted.
        """
        try:
            if is_frame(input_data):
                return input_data.assign(**(correlations or {}))
            return self._rows(input_data, correlations or {})
        except Exception as error:
            self._failed(error)
            return []

    def _send(self, data: Any, correlations: Correlations) -> None:
        blocks = [_with(correlations, block) for block in self._blocks(data)]
        first = next((block for block in blocks if block.length > 0), None)
        if first is None or port.collection is None:
            return
        ident = first.values[first.sources.index(_CORRELATION_ID)][0]
        head = {
            "id": str(ident),
            "time": -1,
            "modelVersion": str(correlations["$aml_model_version"]),
            "v1": str(self._file),
        }
        port.collection.send(self._designation, head, blocks, self._types)

    def _rows(self, data: Any, correlations: Correlations) -> list[dict[str, Any]]:
        columns = Columns()
        return [
            {**dict(zip(columns.names(block.sources), row, strict=True)), **correlations}
            for block in self._blocks(data)
            for row in zip(*block.values, strict=True)
        ]

    def _blocks(self, data: Any) -> list[Block]:
        """One list or array of numbers is one row."""
        is_row = isinstance(data, (list, tuple)) and len(data) > 0 and _is_single(data[0])
        is_vector = is_array(data) and len(getattr(data, "shape", (0,))) == 1
        return blocks_of([data] if is_row or is_vector else data, self._feature_names)

    def _failed(self, error: Exception) -> None:
        if port.collection is not None:
            port.collection.failed(UNKNOWN if self._is_wrong else self._designation, error)

    def _correlations(self, user_correlation_id: str) -> Correlations:
        known = {} if port.collection is None else port.collection.settings
        ident = str(uuid.uuid4())
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        workspace, service, version = self._workspace, self._webservice_name, self._model_version
        if workspace == _NO_WORKSPACE:
            workspace = known.get("workspace", workspace)
        if service == "default":
            service = known.get("endpoint", service)
        if version == "default":
            version = known.get("modelVersions", {}).get(self._model, version)
        return {
            _CORRELATION_ID: f"{user_correlation_id}-{ident}" if user_correlation_id else ident,
            "$aml_dc_scoring_timestamp": now.isoformat(timespec="microseconds"),
            "$aml_dc_boundary": _DAY_MINUTES,
            "$aml_workspace": workspace,
            "$aml_service_name": service,
            "$aml_model_name": self._model,
            "$aml_model_version": version,
            "$aml_request_id": _request_id() or _NO_REQUEST,
        }


def _is_single(value: Any) -> bool:
    return isinstance(value, (str, int, float)) or value is None


def _with(correlations: Correlations, block: Block) -> Block:
    """The rows with these columns, unless they have columns of their own."""
    if _CORRELATION_ID in block.sources:
        return block
    repeated = [[value] * block.length for value in correlations.values()]
    return Block(
        (*block.sources, *correlations),
        (*block.types, *[None] * len(correlations)),
        [*block.values, *repeated],
        block.length,
    )


def _request_id() -> str | None:
    request = current_request.get()
    return None if request is None else request.id
