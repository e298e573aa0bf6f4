#include "http/metric_families.h"

#include <prometheus/text_serializer.h>

namespace manman {

prometheus::MetricFamily metric_family(std::string name, std::string help,
                                       prometheus::MetricType type) {
  return {.name = std::move(name), .help = std::move(help), .type = type, .metric = {}};
}

void add_metric(prometheus::MetricFamily& to, double value, const MetricLabels& labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, label] : labels) metric.label.push_back({name, label});
  if (to.type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

prometheus::MetricFamily build_info() {
  auto family =
      metric_family("manman_build_info", "Always 1; the version of this process is its label.",
                    prometheus::MetricType::Gauge);
  add_metric(family, 1, {{"version", MANMAN_VERSION}});
  return family;
}

std::string metrics_text(const std::vector<prometheus::MetricFamily>& families) {
  return prometheus::TextSerializer().Serialize(families);
}

HttpAnswer metrics_page(std::string text) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)};
}

}  // namespace manman
