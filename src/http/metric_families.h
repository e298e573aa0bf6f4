#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "http/http_server.h"

// Metrics that are made for one answer, from numbers that are kept elsewhere.
namespace manman {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

prometheus::MetricFamily metric_family(std::string name, std::string help,
                                       prometheus::MetricType type);

// Adds a value to a family of counters or gauges.
void add_metric(prometheus::MetricFamily& to, double value, const MetricLabels& labels = {});

// manman_build_info, which every process tells once.
prometheus::MetricFamily build_info();

// In the text format of Prometheus, version 0.0.4.
std::string metrics_text(const std::vector<prometheus::MetricFamily>& families);
HttpAnswer metrics_page(std::string text);

}  // namespace manman
