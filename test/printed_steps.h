// Console sessions as a page prints them: what is typed and what comes out, run exactly so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "test/program.h"

namespace adbrook::test {

struct PrintedStep {
  std::string command;
  std::string shown;  // what the page says comes out
};

// Of the ```console blocks of this text.
std::vector<PrintedStep> printed_steps(const std::string& text);

// Whether `text` is `pattern`, in which "…" stands for anything, also for several lines.
bool matches(std::string_view pattern, std::string_view text);

// Runs them in one shell in an empty directory that has the build as `build`, and expects what is
// shown. A command that ends with & has said something before the next one is run.
void expect_as_printed(const Scratch& scratch, const std::vector<PrintedStep>& steps);

}  // namespace adbrook::test
