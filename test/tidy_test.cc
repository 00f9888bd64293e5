// Holds the house rules that no compiler knows: the floors, the lengths, the words, the layout.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "test/source_tree.h"

namespace adbrook::tidy {
namespace {

constexpr std::size_t kFileLinesMax = 600;
constexpr std::size_t kTestLinesMax = 1000;
constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kFunctionLinesMax = 70;

const std::vector<SourceFile>& sources() {
  static const std::vector<SourceFile> files = read_sources(ADBROOK_SOURCE_DIR);
  return files;
}

std::map<std::string, int> floors() {
  std::map<std::string, int> floor_of;
  std::ifstream in(std::string(ADBROOK_SOURCE_DIR) + "/src/floors.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string room;
    int floor = 0;
    if (!line.starts_with('#') && words >> floor >> room) floor_of[room] = floor;
  }
  return floor_of;
}

// Everything wrong, one "path:line: what" per line; empty is good.
class Findings {
 public:
  void add(const std::string& where, const std::string& what) {
    text_ += where + ": " + what + "\n";
  }
  void expect_none() const {
    if (!text_.empty()) ADD_FAILURE() << text_;
  }

 private:
  std::string text_;
};

// The file between the quotes of an #include "…", or empty.
std::string included_file(const std::string& line) {
  static const std::regex kInclude(R"(^\s*#\s*include\s+"([^"]+)\")");
  std::smatch match;
  return std::regex_search(line, match, kInclude) ? match[1].str() : "";
}

TEST(Tidy, there_are_sources_to_look_at) { EXPECT_GT(sources().size(), 20u); }

TEST(Tidy, a_room_includes_only_itself_and_lower_floors) {
  const auto floor_of = floors();
  Findings findings;
  for (const SourceFile& file : sources()) {
    if (file.room.empty()) continue;
    if (!floor_of.contains(file.room)) findings.add(file.at(0), "room is not in src/floors.txt");
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string included = included_file(file.lines[i]);
      if (included.empty()) continue;
      const std::string room = included.substr(0, included.find('/'));
      if (room == file.room) continue;
      if (!floor_of.contains(room)) {
        findings.add(file.at(i), "\"" + included + "\" is in no room of src/floors.txt");
      } else if (floor_of.contains(file.room) && floor_of.at(room) >= floor_of.at(file.room)) {
        findings.add(file.at(i), file.room + " stands on floor " +
                                     std::to_string(floor_of.at(file.room)) + " and may not see " +
                                     room + " on floor " + std::to_string(floor_of.at(room)));
      }
    }
  }
  findings.expect_none();
}

TEST(Tidy, only_io_calls_the_system_for_files_sockets_threads_time_and_randomness) {
  static const std::regex kSystem(
      R"re((#\s*include\s+<(fcntl\.h|sys/socket\.h|sys/mman\.h|sys/epoll\.h)>))re"
      R"re(|(#\s*include\s+<(netinet/.*|thread|random|fstream)>))re"
      R"re(|system_clock::now|steady_clock::now|high_resolution_clock|::getrandom\(|::fsync\()re");
  Findings findings;
  for (const SourceFile& file : sources()) {
    if (file.room.empty() || file.room == "io" || file.is_test() || file.is_bench()) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      if (std::regex_search(file.lines[i], kSystem))
        findings.add(file.at(i), "belongs into io/: " + file.lines[i]);
  }
  findings.expect_none();
}

TEST(Tidy, files_lines_and_functions_keep_their_lengths) {
  Findings findings;
  for (const SourceFile& file : sources()) {
    const std::size_t most = file.is_test() || file.is_bench() ? kTestLinesMax : kFileLinesMax;
    if (file.lines.size() > most)
      findings.add(file.at(most), "has " + std::to_string(file.lines.size()) + " lines, " +
                                      std::to_string(most) + " are allowed");
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      if (columns(file.lines[i]) > kColumnsMax)
        findings.add(file.at(i), "has " + std::to_string(columns(file.lines[i])) + " columns");
    for (const FunctionSpan& function : functions(code_only(file.text)))
      if (function.line_count > kFunctionLinesMax)
        findings.add(file.at(function.first_line_index),
                     "a function of " + std::to_string(function.line_count) + " lines, " +
                         std::to_string(kFunctionLinesMax) + " are allowed");
  }
  findings.expect_none();
}

TEST(Tidy, a_header_says_first_what_it_is_for) {
  Findings findings;
  for (const SourceFile& file : sources()) {
    if (!file.is_header()) continue;
    if (file.lines.empty() || !file.lines.front().starts_with("// "))
      findings.add(file.at(0), "the first line is no comment");
    if (file.text.find("#pragma once") == std::string::npos)
      findings.add(file.at(0), "no #pragma once");
  }
  findings.expect_none();
}

TEST(Tidy, names_say_more_than_utils_or_manager) {
  static const std::regex kFile(
      R"((^|/|_)(utils?|helpers?|common|manager|impl|misc|info)\.(h|cc)$)");
  static const std::regex kType(R"(\b(class|struct)\s+\w*(Utils?|Helpers?|Manager|Impl)\b)");
  Findings findings;
  for (const SourceFile& file : sources()) {
    if (std::regex_search(file.path, kFile)) findings.add(file.at(0), "an empty word as a name");
    const std::string code = code_only(file.text);
    std::istringstream lines(code);
    std::string line;
    for (std::size_t i = 0; std::getline(lines, line); ++i)
      if (std::regex_search(line, kType))
        findings.add(file.at(i), "an empty word as a type's name");
  }
  findings.expect_none();
}

TEST(Tidy, comments_are_about_now) {
  // Written in two halves so that this file does not find itself.
  static const std::regex kWords(std::string("\\b(TO") + "DO|FIX" + "ME|XX" + "X|HA" +
                                 "CK)\\b|/wo" + "rk/|/tmp/" + "b-|#if " + "0");
  Findings findings;
  for (const SourceFile& file : sources())
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      if (std::regex_search(file.lines[i], kWords)) findings.add(file.at(i), file.lines[i]);
  findings.expect_none();
}

TEST(Tidy, only_assert_and_log_are_macros) {
  static const std::regex kDefine(R"(^\s*#\s*define\s+(\w+))");
  Findings findings;
  for (const SourceFile& file : sources())
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(file.lines[i], match, kDefine)) continue;
      const std::string name = match[1].str();
      // Settings of a foreign header have the foreign header's names.
      const bool foreign = name.starts_with("BOOST_") || name.starts_with("XXH_") ||
                           name.starts_with("TOML_") || name.starts_with("_");
      if (!name.starts_with("ADBROOK_") && !foreign) findings.add(file.at(i), "macro " + name);
    }
  findings.expect_none();
}

TEST(Tidy, clang_format_has_nothing_to_change) {
  if (std::system("command -v clang-format-19 >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "clang-format-19 is not installed; script/setup installs it";
  std::string command = "cd '" + std::string(ADBROOK_SOURCE_DIR) + "' && clang-format-19 --dry-run";
  for (const SourceFile& file : sources()) command += " '" + file.path + "'";
  command += " 2>&1 | grep -E 'warning:' | sort -u -t: -k1,1";
  std::string found;
  std::array<char, 4096> buffer;
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe))
    found.append(buffer.data(), size);
  pclose(pipe);
  if (!found.empty()) ADD_FAILURE() << "run clang-format-19 -i on:\n" << found;
}

TEST(SourceTree, code_only_drops_comments_literals_and_directives) {
  EXPECT_EQ(code_only("a // b\nc /* d\n */ e \"x{\" 'y' 1'000\n#define Z {\nf"),
            "a     \nc     \n    e          1'000\n           \nf");
}

TEST(SourceTree, a_function_is_measured_from_its_head_to_its_brace) {
  const auto found =
      functions(code_only("namespace a {\nstruct B {\n  int f() {\n    if (x) {\n"
                          "    }\n  }\n};\nB::B()\n    : c_{1}, d_(2) {\n}\n}\n"));
  ASSERT_GE(found.size(), 2u);
  EXPECT_EQ(found.front().first_line_index, 2u);
  EXPECT_EQ(found.front().line_count, 4u);
}

}  // namespace
}  // namespace adbrook::tidy
