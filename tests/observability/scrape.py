"""Metrics as a scraper reads them."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """What one scrape gave."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples: Samples = {(each.name, frozenset(each.labels.items())): each.value for each in self._all()}

    def _all(self) -> Iterator[Sample]:
        return (sample for family in self.families for sample in family.samples)

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of *name* that have *labels*."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.samples.items() if found == name and wanted <= has)

    def words(self) -> set[str]:
        """All values of labels."""
        return {value for _, labels in self.samples for _, value in labels}
