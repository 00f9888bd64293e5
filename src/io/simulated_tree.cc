#include "io/simulated_tree.h"

#include <algorithm>
#include <utility>

namespace adbrook::io {
namespace {

SimulatedNodePtr make_directory() {
  auto node = std::make_shared<SimulatedNode>();
  node->is_directory = true;
  return node;
}

SimulatedNodePtr entry_of(const SimulatedEntries& entries, std::string_view name) {
  const auto found = entries.find(name);
  return found == entries.end() ? nullptr : found->second;
}

void set_entry(SimulatedEntries& entries, const std::string& name, const SimulatedNodePtr& target) {
  if (target) {
    entries[name] = target;
  } else {
    entries.erase(name);
  }
}

void visit_below(SimulatedNode& node, const std::function<void(SimulatedNode&)>& visit) {
  visit(node);
  for (const auto& [name, child] : node.entries) visit_below(*child, visit);
}

}  // namespace

SimulatedTree::SimulatedTree() : root_(make_directory()) {}

std::vector<std::string> SimulatedTree::split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.emplace_back(part);
  }
  return parts;
}

SimulatedNodePtr SimulatedTree::find(std::string_view path) const {
  SimulatedNodePtr node = root_;
  for (const std::string& part : split(path)) {
    if (!node) return nullptr;
    node = entry_of(node->entries, part);  // a file has no entries
  }
  return node;
}

SimulatedTree::Place SimulatedTree::place(std::string_view path) const {
  std::vector<std::string> parts = split(path);
  if (parts.empty()) return {};
  std::string name = std::move(parts.back());
  parts.pop_back();
  SimulatedNodePtr node = root_;
  for (const std::string& part : parts) {
    if (node) node = entry_of(node->entries, part);
  }
  if (node && !node->is_directory) node = nullptr;
  return {std::move(node), std::move(name)};
}

void SimulatedTree::link(const Place& at, SimulatedNodePtr node) {
  make_visible({{{at.directory, at.name, std::move(node)}}, nullptr});
}

void SimulatedTree::unlink(const Place& at) {
  make_visible({{{at.directory, at.name, nullptr}}, entry_of(at.directory->entries, at.name)});
}

void SimulatedTree::rename(const Place& from, const Place& to) {
  auto node = entry_of(from.directory->entries, from.name);
  auto replaced = entry_of(to.directory->entries, to.name);
  if (node == replaced) return;
  make_visible({{{from.directory, from.name, nullptr}, {to.directory, to.name, std::move(node)}},
                std::move(replaced)});
}

void SimulatedTree::make_visible(Change change) {
  for (const Edge& edge : change.edges) set_entry(edge.directory->entries, edge.name, edge.target);
  changes_.push_back(std::move(change));
}

// Changes of one name keep their order. A directory that is removed was empty: what emptied it came
// first, or a crash could lose a file that was moved out.
bool SimulatedTree::needs(const Change& later, const Change& earlier) const {
  for (const Edge& old : earlier.edges) {
    if (old.directory == later.unlinked) return true;
    for (const Edge& edge : later.edges) {
      if (edge.directory == old.directory && edge.name == old.name) return true;
    }
  }
  return false;
}

void SimulatedTree::add_what_is_needed(std::vector<bool>& kept) const {
  // From the last one back: what a change needs always came before it.
  for (std::size_t later = changes_.size(); later-- > 0;) {
    if (!kept[later]) continue;
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (!kept[earlier]) kept[earlier] = needs(changes_[later], changes_[earlier]);
    }
  }
}

void SimulatedTree::make_durable(const std::vector<bool>& kept) {
  std::vector<Change> rest;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (!kept[i]) {
      rest.push_back(std::move(changes_[i]));
      continue;
    }
    for (const Edge& edge : changes_[i].edges)
      set_entry(edge.directory->entries_durable, edge.name, edge.target);
  }
  changes_ = std::move(rest);
}

void SimulatedTree::sync(const SimulatedNodePtr& directory) {
  std::vector<bool> kept(changes_.size());
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    kept[i] = std::ranges::any_of(changes_[i].edges,
                                  [&](const Edge& edge) { return edge.directory == directory; });
  }
  add_what_is_needed(kept);
  make_durable(kept);
}

std::vector<bool> SimulatedTree::draw_kept(Random& random) const {
  std::vector<bool> kept(changes_.size());
  const std::uint64_t kind = random.below(4);
  const std::uint64_t prefix = random.below(changes_.size() + 1);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    switch (kind) {
      case 0: kept[i] = false; break;
      case 1: kept[i] = i < prefix; break;  // as a journal keeps them
      default: kept[i] = random.below(2) == 0;
    }
  }
  add_what_is_needed(kept);
  return kept;
}

void SimulatedTree::crash(Random& random) {
  make_durable(draw_kept(random));
  changes_.clear();
  const std::function<void(SimulatedNode&)> settle = [&](SimulatedNode& node) {
    node.entries = node.entries_durable;
    node.content.crash(random);
    if (random.below(2) == 0) node.allocated_durable = node.allocated;
    node.allocated = node.allocated_durable;
  };
  for_each(settle);
}

void SimulatedTree::for_each(const std::function<void(SimulatedNode&)>& visit) const {
  visit_below(*root_, visit);
}

}  // namespace adbrook::io
