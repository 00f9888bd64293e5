#include <functional>

#include "app/command_text.h"

namespace adbrook::app {
namespace {

using Path = std::vector<const CommandDescription*>;

void walk(const CommandDescription& at, Path& path, const std::function<void(const Path&)>& visit) {
  path.push_back(&at);
  visit(path);
  for (const auto& child : at.commands)
    if (!child.hidden) walk(child, path, visit);
  path.pop_back();
}

void walk(const CommandDescription& root, const std::function<void(const Path&)>& visit) {
  Path path;
  walk(root, path, visit);
}

// "adbrook report click-through", the key of a command in the scripts.
std::string joined(const Path& path, const std::string& separator) {
  std::string out;
  for (const auto* command : path) out += (out.empty() ? "" : separator) + command->name;
  return out;
}

std::vector<std::string> names_of(const OptionDescription& option) {
  std::vector<std::string> names = {option.name};
  names.insert(names.end(), option.other_names.begin(), option.other_names.end());
  return names;
}

std::string words_of(const CommandDescription& command) {
  std::string out;
  for (const auto& child : command.commands)
    if (!child.hidden) out += child.name + " ";
  for (const auto& option : command.options)
    for (const auto& name : names_of(option)) out += name + " ";
  for (const auto& positional : command.positionals)
    for (const auto& choice : positional.choices) out += choice + " ";
  return out + "--help";
}

std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_values(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::file: return "COMPREPLY=($(compgen -f -- \"$word\"))";
    case ValueKind::directory: return "COMPREPLY=($(compgen -d -- \"$word\"))";
    case ValueKind::choice: {
      std::string words;
      for (const auto& choice : option.choices) words += (words.empty() ? "" : " ") + choice;
      return "COMPREPLY=($(compgen -W '" + words + "' -- \"$word\"))";
    }
    default: return "COMPREPLY=()";
  }
}

// In zsh's _arguments, ':' and brackets have a meaning.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const OptionDescription& option) {
  if (option.kind == ValueKind::file) return "_files";
  if (option.kind == ValueKind::directory) return "_files -/";
  if (option.kind != ValueKind::choice) return " ";
  std::string words;
  for (const auto& choice : option.choices) words += (words.empty() ? "" : " ") + choice;
  return "(" + words + ")";
}

std::string zsh_function(const Path& path) {
  const CommandDescription& command = *path.back();
  std::string out = "_" + joined(path, "_") + "() {\n";
  if (!command.commands.empty()) {
    out += "  local -a commands=(\n";
    for (const auto& child : command.commands)
      if (!child.hidden) out += "    " + in_quotes(zsh_text(child.name) + ":" + child.about) + "\n";
    out +=
        "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n  else\n"
        "    local name=${words[2]}\n    shift words\n    (( CURRENT-- ))\n"
        "    (( $+functions[_" +
        joined(path, "_") + "_$name] )) && _" + joined(path, "_") + "_$name\n  fi\n}\n\n";
    return out;
  }
  out += "  _arguments \\\n";
  for (const auto& option : command.options)
    for (const auto& name : names_of(option)) {
      std::string spec = (option.repeatable ? "*" : "") + name + "[" + zsh_text(option.about) + "]";
      if (option.kind != ValueKind::none)
        spec += ":" + zsh_text(option.value_name) + ":" + zsh_action(option);
      out += "    " + in_quotes(spec) + " \\\n";
    }
  for (const auto& positional : command.positionals)
    out += "    " +
           in_quotes(std::string(positional.repeatable ? "*" : "") + ":" +
                     zsh_text(positional.value_name) + ":" + zsh_action(positional)) +
           " \\\n";
  return out + "    '--help[Print help]'\n}\n\n";
}

}  // namespace

std::string bash_completions(const CommandDescription& root) {
  std::string words, values;
  walk(root, [&](const Path& path) {
    words += "    " + in_quotes(joined(path, " ")) +
             ") words=" + in_quotes(words_of(*path.back())) + " ;;\n";
    for (const auto& option : path.back()->options)
      if (option.kind != ValueKind::none)
        for (const auto& name : names_of(option))
          values += "    " + in_quotes(joined(path, " ") + " " + name) + ") " +
                    bash_values(option) + "; return ;;\n";
    for (const auto& positional : path.back()->positionals)
      if (positional.kind == ValueKind::file)
        values += "    " + in_quotes(joined(path, " ")) +
                  "' '[!-]*) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
  });
  std::string commands;
  walk(root, [&](const Path& path) {
    if (path.size() > 1) commands += (commands.empty() ? "" : "|") + in_quotes(joined(path, " "));
  });
  return "# bash completions of adbrook; load with: source <(adbrook completions bash)\n"
         "_adbrook() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command=adbrook words= i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$command ${COMP_WORDS[i]}\" in\n"
         "    " +
         commands +
         ") command+=\" ${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$command $previous\" in\n" +
         values +
         "  esac\n"
         "  case \"$command\" in\n" +
         words +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o bashdefault -o default -F _adbrook adbrook\n";
}

std::string zsh_completions(const CommandDescription& root) {
  std::string out =
      "#compdef adbrook\n"
      "# zsh completions of adbrook; load with: source <(adbrook completions zsh)\n\n";
  walk(root, [&](const Path& path) { out += zsh_function(path); });
  return out + "compdef _adbrook adbrook\n";
}

std::string fish_completions(const CommandDescription& root) {
  std::string out =
      "# fish completions of adbrook; load with: adbrook completions fish | source\n"
      "complete -c adbrook -f\n";
  walk(root, [&](const Path& path) {
    std::string condition;
    for (std::size_t i = 1; i < path.size(); ++i)
      condition +=
          (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + path[i]->name);
    std::string names;
    for (const auto& child : path.back()->commands)
      if (!child.hidden) names += " " + child.name;
    for (const auto& child : path.back()->commands) {
      if (child.hidden) continue;
      const std::string when = path.size() == 1
                                   ? "__fish_use_subcommand"
                                   : condition + "; and not __fish_seen_subcommand_from" + names;
      out += "complete -c adbrook -n " + in_quotes(when) + " -a " + child.name + " -d " +
             in_quotes(child.about) + "\n";
    }
    for (const auto& option : path.back()->options) {
      out += "complete -c adbrook -n " + in_quotes(condition);
      for (const auto& name : names_of(option))
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += " -d " + in_quotes(option.about);
      if (option.kind == ValueKind::file || option.kind == ValueKind::directory)
        out += " -r -F";
      else if (option.kind == ValueKind::choice) {
        std::string words;
        for (const auto& choice : option.choices) words += (words.empty() ? "" : " ") + choice;
        out += " -x -a " + in_quotes(words);
      } else if (option.kind == ValueKind::text)
        out += " -x";
      out += "\n";
    }
    for (const auto& positional : path.back()->positionals) {
      if (positional.kind == ValueKind::file)
        out += "complete -c adbrook -n " + in_quotes(condition) + " -F\n";
      for (const auto& choice : positional.choices)
        out += "complete -c adbrook -n " + in_quotes(condition) + " -a " + choice + "\n";
    }
  });
  return out;
}

}  // namespace adbrook::app
