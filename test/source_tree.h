// The source tree as the tidy test reads it: files, their lines, and where functions begin and end.
// It knows just enough C++ to skip comments and literals and to tell a function's braces.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace adbrook::tidy {

struct SourceFile {
  std::string path;  // relative to the repository
  std::string room;  // "log" for src/log/x.cc, empty elsewhere
  std::string text;
  std::vector<std::string> lines;

  bool is_header() const { return path.ends_with(".h"); }
  bool is_test() const { return path.ends_with("_test.cc") || path.starts_with("test/"); }
  bool is_bench() const { return path.ends_with("_bench.cc") || path.starts_with("bench/"); }
  bool is_fuzz() const { return path.ends_with("_fuzz.cc"); }
  // "path:line"; lines count from one.
  std::string at(std::size_t line_index) const;
};

// Every .h and .cc under src, test, bench and examples, in path order.
std::vector<SourceFile> read_sources(const std::filesystem::path& root);

// The text with comments, literals and preprocessor lines as blanks; line ends stay.
std::string code_only(std::string_view text);

struct FunctionSpan {
  std::string head;  // what stands in front of the opening brace
  std::size_t first_line_index;
  std::size_t line_count;
};
std::vector<FunctionSpan> functions(std::string_view code);

// Code points, so that an umlaut counts once.
std::size_t columns(std::string_view line);

}  // namespace adbrook::tidy
