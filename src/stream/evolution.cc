#include "stream/evolution.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace adbrook::stream {
namespace {

std::vector<std::string> lines_of(std::string_view text, std::string_view kind) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(kind)) lines.emplace_back(line.substr(kind.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void tell(std::string& what, std::string_view word, const std::vector<std::string>& from,
          const std::vector<std::string>& without) {
  std::vector<std::string> lines;
  std::ranges::set_difference(from, without, std::back_inserter(lines));
  for (const std::string& line : lines) {
    if (!what.empty()) what += ", ";
    what += std::string(word) + " '" + line + "'";
  }
}

}  // namespace

std::string remembered_parts(const Topology& topology) {
  std::string text;
  for (const auto& input : topology.inputs()) text += "i " + input->describe() + "\n";
  for (const Operator* part : topology.parts()) {
    const bool is_input = std::ranges::any_of(
        topology.inputs(), [&](const auto& input) { return input.get() == part; });
    if (!is_input) text += (part->stateless() ? "- " : "s ") + part->describe() + "\n";
  }
  return text;
}

TopologyChange compare_topologies(std::string_view stored, std::string_view current) {
  std::string what;
  const auto compare = [&](std::string_view kind, bool ordered) {
    auto before = lines_of(stored, kind), now = lines_of(current, kind);
    const bool same_in_order = before == now;
    std::ranges::sort(before);
    std::ranges::sort(now);
    tell(what, "removed", before, now);
    tell(what, "added", now, before);
    if (before == now && !same_in_order && ordered) what += "inputs in another order";
    return ordered ? same_in_order : before == now;
  };
  if (!compare("i ", true)) return {Evolution::refuse, what};
  if (!compare("s ", false)) return {Evolution::rebuild, what};
  static_cast<void>(compare("- ", false));
  return {Evolution::compatible, what.empty() ? "parts in another order" : what};
}

}  // namespace adbrook::stream
