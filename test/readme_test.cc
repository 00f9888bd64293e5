// Runs the first five minutes of README.md exactly as printed there, and holds what is shown
// against what comes out. "…" in the README stands for anything, also for several lines.
#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>

#include "test/program.h"

namespace adbrook::test {
namespace {

struct Step {
  std::string command;
  std::string shown;  // what README says comes out
};

// The ```console blocks between the two marks of the section.
std::vector<Step> steps_of(const std::string& readme) {
  const auto begin = readme.find("<!-- first five minutes -->");
  const auto end = readme.find("<!-- end of first five minutes -->");
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<Step> steps;
  std::istringstream lines(readme.substr(begin, end - begin));
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

// Whether `text` holds the pieces of `pattern` between its dots, in order, from begin to end.
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

TEST(Readme, dots_stand_for_anything) {
  EXPECT_TRUE(matches("a … c\n", "a b c\n"));
  EXPECT_TRUE(matches("…x\n", "1\n2\nx\n"));
  EXPECT_FALSE(matches("a … c\n", "a b d\n"));
  EXPECT_FALSE(matches("a\n", "a\nb\n"));
}

TEST(Readme, the_first_five_minutes_work_exactly_as_printed) {
  const Scratch scratch;
  if (run(scratch, {"bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080"}).code == 0)
    GTEST_SKIP() << "port 8080, which the README uses, is in use on this machine";
  const auto steps = steps_of(read_file(std::string(ADBROOK_SOURCE_DIR) + "/README.md"));
  ASSERT_GE(steps.size(), 5u);
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
    EXPECT_TRUE(matches(steps[i].shown, out)) << "$ " << steps[i].command << "\nREADME says:\n"
                                              << steps[i].shown << "it is:\n"
                                              << out;
  }
}

}  // namespace
}  // namespace adbrook::test
