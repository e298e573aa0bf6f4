#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/verbs.h"

namespace manman::cli {

// The parser of the whole command line. context and programs must outlive it.
std::unique_ptr<CLI::App> make_app(Context& context, const Programs& programs);

}  // namespace manman::cli
