"""Names of the metrics, apart from their code, so that listing and ranking load no array library."""

from __future__ import annotations

RANK_METRICS = {
    "auroc": "Chance that an anomaly scores above a normal row; ties count one half. Chance level 0.5.",
    "average_precision": "Precision averaged over the anomalies found. Chance level: the test contamination.",
    "precision_at_n": "Share of anomalies among the n highest scores, n being the number of anomalies.",
    "fpr_at_95_tpr": "False-alarm rate at the first limit that catches 95 % of the anomalies; lower is better.",
}
"""Metrics of a ranking: functions ``(y_true, scores)``."""

DECISION_METRICS = {
    "precision": "Share of anomalies among the flagged rows.",
    "recall": "Share of flagged rows among the anomalies.",
    "f1": "Harmonic mean of precision and recall, anomalies being the positive class.",
    "f1_normal": "The same, normal rows being the positive class.",
    "false_alarm_rate": "Share of flagged rows among the normal rows; lower is better.",
    "balanced_accuracy": "Mean of recall and of the share of normal rows left alone. Chance level 0.5.",
    "mcc": "Matthews correlation of flags and labels, from -1 to 1. Chance level 0.",
}
"""Metrics of a decision, one value per threshold rule: functions of a confusion count."""

METRICS = RANK_METRICS | DECISION_METRICS

ORACLE = "oracle"
"""The one threshold that uses test labels (best F1); it always stands in a column of its own."""
