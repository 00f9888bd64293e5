// Everything that is printed about the commands themselves: help, completions and the manual page.
// All of it walks the one tree of command_tree.h.
#pragma once

#include <string>
#include <vector>

#include "app/command_tree.h"

namespace adbrook::app {

// Examples first, then flags.
std::string help_text(const CommandDescription& root, const std::vector<std::string>& path);

std::string bash_completions(const CommandDescription& root);
std::string zsh_completions(const CommandDescription& root);
std::string fish_completions(const CommandDescription& root);

// mdoc(7); read it with `man -l -`.
std::string manual_page(const CommandDescription& root);

}  // namespace adbrook::app
