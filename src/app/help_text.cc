#include <algorithm>

#include "app/command_text.h"

namespace adbrook::app {
namespace {

// Two columns: the left one as wide as its widest entry, within reason.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  constexpr std::size_t kLeftMax = 36;
  std::size_t width = 0;
  for (const auto& [left, right] : rows)
    if (left.size() <= kLeftMax) width = std::max(width, left.size());
  std::string out;
  for (const auto& [left, right] : rows) {
    out += "  " + left;
    if (left.size() > width)
      out += "\n  " + std::string(width, ' ');
    else
      out += std::string(width - left.size(), ' ');
    out += "  " + right + "\n";
  }
  return out;
}

std::string option_about(const OptionDescription& option) {
  std::string text = option.about;
  const bool says_itself = text.find("(default") != std::string::npos;
  if (!option.default_value.empty() && !says_itself && option.kind != ValueKind::none)
    text += " (default " + option.default_value + ")";
  return text;
}

// "-o, --offset": what is short comes first.
std::string all_names(const OptionDescription& option) {
  std::string out;
  for (const auto& name : option.other_names)
    if (!name.starts_with("--")) out += name + ", ";
  out += option.name;
  for (const auto& name : option.other_names)
    if (name.starts_with("--")) out += ", " + name;
  return out;
}

std::string usage(const CommandDescription& command, const std::string& name) {
  std::string text = "Usage: " + name;
  if (!command.commands.empty()) text += " <command>";
  if (!command.options.empty() || !command.commands.empty()) text += " [flags]";
  for (const auto& positional : command.positionals)
    text += " " + positional.value_name + (positional.repeatable ? "…" : "");
  return text + "\n";
}

}  // namespace

std::string help_text(const CommandDescription& root, const std::vector<std::string>& path) {
  const CommandDescription* at = &root;
  std::string name = root.name;
  for (const auto& word : path) {
    const auto found = std::find_if(at->commands.begin(), at->commands.end(),
                                    [&](const auto& child) { return child.name == word; });
    if (found == at->commands.end()) break;
    at = &*found;
    name += " " + word;
  }
  std::string out;
  if (!at->examples.empty()) {
    out += "Examples:\n";
    for (const auto& example : at->examples)
      out += "  # " + example.about + "\n  " + example.command + "\n";
    out += "\n";
  }
  out += at->about + ".\n\n" + usage(*at, name);
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& child : at->commands)
    if (!child.hidden) rows.emplace_back(child.name, child.about);
  if (!rows.empty()) out += "\nCommands:\n" + two_columns(rows);
  rows.clear();
  for (const auto& option : at->positionals) rows.emplace_back(option.value_name, option.about);
  for (const auto& option : at->options)
    rows.emplace_back(
        all_names(option) + (option.value_name.empty() ? "" : " " + option.value_name),
        option_about(option));
  rows.emplace_back("-h, --help", "Print this");
  out += "\nFlags:\n" + two_columns(rows);
  if (path.empty())
    out +=
        "\nExit codes: 0 done, 1 the answer is no, 2 wrong usage or settings, "
        "3 the environment failed,\n130 interrupted. Ctrl-C once stops cleanly, twice at once.\n";
  return out;
}

}  // namespace adbrook::app
