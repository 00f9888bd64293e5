#include "stream/evolution.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace adbrook::stream {
namespace {

constexpr std::string_view kFeedsTold = "feeds\n";

bool is_input(const Topology& topology, const Operator* part) {
  return std::ranges::any_of(topology.inputs(),
                             [&](const auto& input) { return input.get() == part; });
}

// Through everything that keeps nothing, in the order in which it was attached.
void collect_feeds(const Topology& topology, const Operator& part, std::vector<std::string>& to) {
  for (const auto& [from, outlet] : part.feeds()) {
    if (from->stateless() && !is_input(topology, from)) {
      collect_feeds(topology, *from, to);
      continue;
    }
    std::string feed = from->describe() + (outlet == 0 ? "" : "." + std::to_string(outlet));
    if (std::ranges::find(to, feed) == to.end()) to.push_back(std::move(feed));
  }
}

std::string line_with_feeds(const Topology& topology, const Operator& part) {
  std::vector<std::string> feeds;
  collect_feeds(topology, part, feeds);
  std::string line = part.describe();
  for (const std::string& feed : feeds) line += (&feed == &feeds.front() ? " < " : ", ") + feed;
  return line;
}

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

std::string remembered_parts(const Topology& topology, Feeds feeds) {
  std::string text(feeds == Feeds::told ? kFeedsTold : "");
  for (const auto& input : topology.inputs()) text += "i " + input->describe() + "\n";
  for (const Operator* part : topology.parts()) {
    if (is_input(topology, part)) continue;
    if (part->stateless())
      text += "- " + part->describe() + "\n";
    else
      text += "s " + (feeds == Feeds::told ? line_with_feeds(topology, *part) : part->describe()) +
              "\n";
  }
  return text;
}

Feeds feeds_in(std::string_view stored) {
  return stored.starts_with(kFeedsTold) ? Feeds::told : Feeds::untold;
}

TopologyChange compare_topologies(std::string_view stored, std::string_view current) {
  std::string what;
  const auto without_state = lines_of(current, "- ");
  const auto compare = [&](std::string_view kind, bool ordered) {
    auto before = lines_of(stored, kind), now = lines_of(current, kind);
    // Earlier versions took some parts for keeping something that keep nothing.
    if (kind == "s ")
      std::erase_if(before, [&](const std::string& line) {
        return std::ranges::find(without_state, line) != without_state.end();
      });
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
