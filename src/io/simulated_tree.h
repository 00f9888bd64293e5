// The names of the simulated disk: directories, and which of their entries a power loss may undo.
// Creating, renaming and removing are visible at once and durable when the directory is synced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/random.h"
#include "io/simulated_content.h"

namespace adbrook::io {

struct SimulatedNode;
// Shared between the visible name, the durable name and the open files: each may be the last one.
using SimulatedNodePtr = std::shared_ptr<SimulatedNode>;
using SimulatedEntries = std::map<std::string, SimulatedNodePtr, std::less<>>;

// A file or a directory, with the part of it that the kind needs.
struct SimulatedNode {
  bool is_directory = false;
  SimulatedContent content;
  std::uint64_t allocated = 0;
  std::uint64_t allocated_durable = 0;
  SimulatedEntries entries;
  SimulatedEntries entries_durable;

  // What it takes away from the disk's capacity.
  std::uint64_t space() const { return std::max(content.size(), allocated); }
};

// Owned by one thread. Paths start at the root whether or not they begin with a slash.
class SimulatedTree {
 public:
  // Where a name stands; `directory` is empty when the parent is missing or is a file.
  struct Place {
    SimulatedNodePtr directory;
    std::string name;
  };

  SimulatedTree();

  // Parts without "", "." and "..".
  static std::vector<std::string> split(std::string_view path);

  SimulatedNodePtr find(std::string_view path) const;  // empty when absent
  Place place(std::string_view path) const;            // not for the root

  void link(const Place& at, SimulatedNodePtr node);
  void unlink(const Place& at);
  // Atomic, also when it replaces something.
  void rename(const Place& from, const Place& to);

  void sync(const SimulatedNodePtr& directory);
  // Draws which unsynced changes of names and of contents are left.
  void crash(Random& random);

  // Calls it with every node that has a visible name, in the order of the names.
  void for_each(const std::function<void(SimulatedNode&)>& visit) const;

 private:
  struct Edge {
    SimulatedNodePtr directory;
    std::string name;
    SimulatedNodePtr target;  // empty: the name is gone
  };
  // One atomic change of one or two names.
  struct Change {
    std::vector<Edge> edges;
    SimulatedNodePtr unlinked;  // what lost its name
  };

  void make_visible(Change change);
  bool needs(const Change& later, const Change& earlier) const;
  void add_what_is_needed(std::vector<bool>& kept) const;
  void make_durable(const std::vector<bool>& kept);
  std::vector<bool> draw_kept(Random& random) const;

  SimulatedNodePtr root_;
  std::vector<Change> changes_;  // not durable yet, in order
};

}  // namespace adbrook::io
