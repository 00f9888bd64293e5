#include "test/source_tree.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace adbrook::tidy {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void blank(std::string& out, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end && i < out.size(); ++i)
    if (out[i] != '\n') out[i] = ' ';
}

// The index after the literal or comment that begins at `at`, or `at` when none begins there.
std::size_t skip_literal(std::string_view text, std::size_t at) {
  const auto rest = text.substr(at);
  const auto end_of = [&](std::string_view mark, std::size_t from) {
    const auto found = text.find(mark, from);
    return found == std::string_view::npos ? text.size() : found + mark.size();
  };
  if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
  if (rest.starts_with("/*")) return end_of("*/", at + 2);
  if (rest.starts_with("R\"")) {
    const auto open = text.find('(', at);
    if (open == std::string_view::npos) return at;
    return end_of(")" + std::string(text.substr(at + 2, open - at - 2)) + "\"", open);
  }
  const char quote = rest.front();
  const bool digit_separator =
      quote == '\'' && at > 0 && std::isxdigit(static_cast<unsigned char>(text[at - 1]));
  if ((quote != '"' && quote != '\'') || digit_separator) return at;
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != quote && text[end] != '\n')
    end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

bool opens_scope(std::string_view head) {
  static constexpr std::array<std::string_view, 6> kWords = {"namespace ", "class ", "struct ",
                                                             "union ",     "enum ",  "extern "};
  const auto begin = head.find_first_not_of(" \n\t");
  if (begin == std::string_view::npos) return true;
  const auto text = head.substr(begin);
  if (text.starts_with("template")) {
    const auto last = text.rfind('>');
    return last != std::string_view::npos && opens_scope(text.substr(last + 1)) &&
           text.find('(') == std::string_view::npos;
  }
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return text.starts_with(word); }) &&
         text.find('(') == std::string_view::npos;
}

}  // namespace

std::string SourceFile::at(std::size_t line_index) const {
  return path + ":" + std::to_string(line_index + 1);
}

std::vector<SourceFile> read_sources(const fs::path& root) {
  std::vector<SourceFile> files;
  for (const char* folder : {"src", "test", "bench", "examples"}) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc")) continue;
      SourceFile file;
      file.path = fs::relative(entry.path(), root).generic_string();
      if (file.path.starts_with("src/") && file.path.find('/', 4) != std::string::npos)
        file.room = file.path.substr(4, file.path.find('/', 4) - 4);
      std::ostringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      file.text = text.str();
      file.lines = split_lines(file.text);
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string code_only(std::string_view text) {
  std::string out(text);
  bool line_is_empty = true;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '#' && line_is_empty) {
      auto end = std::min(text.find('\n', at), text.size());
      while (end < text.size() && text[end - 1] == '\\')
        end = std::min(text.find('\n', end + 1), text.size());
      blank(out, at, end);
      at = end;
      continue;
    }
    const auto next = skip_literal(text, at);
    if (next != at) {
      blank(out, at, next);
      at = next;
      line_is_empty = false;
      continue;
    }
    if (text[at] == '\n')
      line_is_empty = true;
    else if (text[at] != ' ')
      line_is_empty = false;
    ++at;
  }
  return out;
}

std::vector<FunctionSpan> functions(std::string_view code) {
  std::vector<FunctionSpan> found;
  std::vector<bool> is_function;  // of each open brace
  std::size_t statement_begin = 0, line = 0, inside = 0;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const char c = code[at];
    if (c == '\n') ++line;
    if (c == ';' && inside == 0) statement_begin = at + 1;
    if (c == '{') {
      const auto head = code.substr(statement_begin, at - statement_begin);
      const bool function = inside == 0 && !opens_scope(head) && head.find('(') != head.npos;
      if (function) {
        const auto begin = head.find_first_not_of(" \n\t");
        const auto before =
            std::count(head.begin() + static_cast<std::ptrdiff_t>(begin), head.end(), '\n');
        found.push_back(
            {std::string(head.substr(begin)), line - static_cast<std::size_t>(before), 0});
      }
      is_function.push_back(function);
      if (function || inside > 0) ++inside;
      statement_begin = at + 1;
    }
    if (c == '}' && !is_function.empty()) {
      if (is_function.back()) found.back().line_count = line - found.back().first_line_index + 1;
      is_function.pop_back();
      if (inside > 0) --inside;
      statement_begin = at + 1;
    }
  }
  return found;
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace adbrook::tidy
