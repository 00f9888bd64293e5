#include "test/printed_steps.h"

#include <gtest/gtest.h>

#include <sstream>

namespace adbrook::test {

std::vector<PrintedStep> printed_steps(const std::string& text) {
  std::vector<PrintedStep> steps;
  std::istringstream lines(text);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```"))
      inside = line == "```console";
    else if (inside && line.starts_with("$ "))
      steps.push_back({line.substr(2), ""});
    else if (inside && !steps.empty())
      steps.back().shown += line + "\n";
  }
  return steps;
}

// The pieces between the dots stand in the text, in order, from begin to end.
bool matches(std::string_view pattern, std::string_view text) {
  constexpr std::string_view kAnything = "…";
  bool first = true;
  for (;;) {
    const auto dots = pattern.find(kAnything);
    const auto piece = pattern.substr(0, dots);
    const bool last = dots == std::string_view::npos;
    const auto at = last && !first ? text.rfind(piece) : text.find(piece);
    if (at == std::string_view::npos || (first && at != 0)) return false;
    text.remove_prefix(at + piece.size());
    if (last) return text.empty();
    pattern.remove_prefix(dots + kAnything.size());
    first = false;
  }
}

void expect_as_printed(const Scratch& scratch, const std::vector<PrintedStep>& steps) {
  const std::string build = std::filesystem::path(ADBROOK_BINARY).parent_path();
  std::string script = "set -m\nstarted=\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\ncd '" +
                       scratch.path() + "'\nln -s '" + build + "' build\n";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string out = scratch / ("step-" + std::to_string(i));
    const bool background = steps[i].command.ends_with("&");
    std::string command = steps[i].command;
    if (background) command.pop_back();
    script += command + " >'" + out + "' 2>&1" + (background ? " &\n" : "\n");
    if (background)
      script += "for i in $(seq 200); do grep -q . '" + out + "' && break; sleep 0.05; done\n";
  }
  write_file(scratch / "script", script);
  const auto all = run(scratch, {"bash", scratch / "script"}, std::chrono::seconds(180));
  ASSERT_NE(all.code, -1) << "not finished in time";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto out = read_file(scratch / ("step-" + std::to_string(i)));
    EXPECT_TRUE(matches(steps[i].shown, out)) << "$ " << steps[i].command << "\nthe page says:\n"
                                              << steps[i].shown << "it is:\n"
                                              << out;
  }
}

}  // namespace adbrook::test
