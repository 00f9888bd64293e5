#include "app/command_text.h"

namespace adbrook::app {
namespace {

// Text inside an mdoc page: a backslash begins an escape, a dot or quote at the start a request.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

void add_options(const CommandDescription& command, std::string& out) {
  if (command.options.empty() && command.positionals.empty()) return;
  out += ".Bl -tag -width Ds\n";
  const auto add = [&](const OptionDescription& option, const std::string& head) {
    out += ".It " + head + "\n" + roff(option.about);
    const bool says_itself = option.about.find("(default") != std::string::npos;
    if (!option.default_value.empty() && !says_itself && option.kind != ValueKind::none)
      out += " (default " + roff(option.default_value) + ")";
    out += ".\n";
  };
  for (const auto& option : command.positionals) add(option, "Ar " + roff(option.value_name));
  for (const auto& option : command.options) {
    std::string names = "Fl " + roff(option.name.substr(1));
    for (const auto& other : option.other_names) names += " , Fl " + roff(other.substr(1));
    add(option, names + (option.value_name.empty() ? "" : " Ar " + roff(option.value_name)));
  }
  out += ".El\n";
}

void add_command(const CommandDescription& command, const std::string& name, std::string& out) {
  if (command.hidden) return;
  if (!name.empty()) {
    out += ".Ss " + roff(name) + "\n" + roff(command.about) + ".\n";
    for (const auto& example : command.examples)
      out += ".Pp\n" + roff(example.about) + ":\n.Dl " + roff(example.command) + "\n";
    add_options(command, out);
  }
  for (const auto& child : command.commands)
    add_command(child, name.empty() ? child.name : name + " " + child.name, out);
}

}  // namespace

std::string manual_page(const CommandDescription& root) {
  std::string out =
      ".Dd November 20, 2026\n.Dt ADBROOK 1\n.Os\n.Sh NAME\n.Nm adbrook\n"
      ".Nd real\\-time engine for ad events\n"
      ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar flags\n"
      ".Sh DESCRIPTION\n"
      "Ad servers send impressions and clicks; adbrook keeps every event in a durable log, joins\n"
      "each click with its impression, counts both exactly once and answers click\\-through\n"
      "reports.\n"
      ".Pp\nThe commands are:\n";
  add_command(root, "", out);
  out +=
      ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
      ".It Ev ADBROOK__SECTION__KEY\nA setting, like ADBROOK__HTTP__LISTEN.\n"
      ".It Ev NO_COLOR\nNo colour, also on a terminal.\n.El\n"
      ".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
      ".It 0\nDone.\n.It 1\nThe answer is no: a check failed, or it was not found.\n"
      ".It 2\nWrong usage or settings.\n"
      ".It 3\nThe environment failed: port busy, disk full, server unreachable.\n"
      ".It 130\nInterrupted.\n.El\n"
      ".Sh EXAMPLES\n";
  for (const auto& example : root.examples)
    out += roff(example.about) + ":\n.Dl " + roff(example.command) + "\n.Pp\n";
  return out.substr(0, out.size() - 4);
}

}  // namespace adbrook::app
