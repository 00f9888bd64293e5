#include "io/simulated_file_system.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace adbrook::io {
namespace {

// What free_bytes tells while no capacity is set.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 50;

std::string_view name_of(DiskCall kind) {
  switch (kind) {
    case DiskCall::open: return "open";
    case DiskCall::read: return "read";
    case DiskCall::write: return "write";
    case DiskCall::sync: return "sync";
    case DiskCall::allocate: return "allocate space for";
    case DiskCall::truncate: return "truncate";
    case DiskCall::remove: return "remove";
    case DiskCall::rename: return "rename";
    case DiskCall::make_directories: return "make the directory";
    case DiskCall::remove_directory: return "remove the directory";
    case DiskCall::list: return "list";
    case DiskCall::sync_directory: return "sync the directory";
    case DiskCall::lock: return "lock";
  }
  return "use";
}

// `why_and_what_next` are the last two of the message's four parts.
std::unexpected<Error> refuse(ErrorKind error, DiskCall kind, std::string_view path,
                              std::string_view why_and_what_next) {
  std::string message = "cannot ";
  message += name_of(kind);
  message += " '";
  message += path;
  message += "': ";
  message += why_and_what_next;
  return fail(error, std::move(message));
}

std::unexpected<Error> refuse_as_planned(DiskCall kind, std::string_view path) {
  return refuse(ErrorKind::io_failed, kind, path,
                "the simulated disk fails here by plan; treat the disk as broken");
}

std::unexpected<Error> refuse_dead(DiskCall kind, std::string_view path) {
  return refuse(ErrorKind::closed, kind, path,
                "the simulated machine crashed before; open it again after the crash");
}

std::unexpected<Error> refuse_full(DiskCall kind, std::string_view path) {
  return refuse(ErrorKind::disk_full, kind, path,
                "the simulated disk is full; free some space and try again");
}

// One spelling for each path: "/d/e".
std::string joined(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + part;
  return path;
}

}  // namespace

SimulatedFileSystem::Fate SimulatedFileSystem::next_fate(DiskCall kind) {
  const std::uint64_t step_index = step_count_++;
  if (crash_step_ == step_index) {
    dead_ = true;
    return Fate::dies;
  }
  const std::uint64_t call_index = call_counts_[kind]++;
  return failures_.erase({kind, call_index}) > 0 ? Fate::fails : Fate::done;
}

Result<void> SimulatedFileSystem::check_alive(DiskCall kind, const std::string& path) const {
  if (dead_) return refuse_dead(kind, path);
  return {};
}

Result<void> SimulatedFileSystem::check_read(DiskCall kind, const std::string& path) {
  if (dead_) return refuse_dead(kind, path);
  const std::uint64_t call_index = call_counts_[kind]++;
  if (failures_.erase({kind, call_index}) > 0) return refuse_as_planned(kind, path);
  return {};
}

template <class Change>
Result<void> SimulatedFileSystem::step(DiskCall kind, const std::string& path, Change change) {
  const Fate fate = next_fate(kind);
  if (fate == Fate::done || random_.below(2) == 0) change();
  if (fate == Fate::done) return {};
  return refuse_as_planned(kind, path);
}

void SimulatedFileSystem::fail_call(DiskCall kind, std::uint64_t skip_count) {
  failures_.insert({kind, call_counts_[kind] + skip_count});
}

// An open file. Its node may have lost its name; after a crash or a kill of the process it only
// refuses, so that code which forgot to let go of it is found.
class SimulatedFileSystem::OpenFile final : public File {
 public:
  OpenFile(SimulatedFileSystem& disk, SimulatedNodePtr node, std::string path, bool writable)
      : disk_(disk),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable),
        process_(disk.process_) {
    disk_.open_nodes_.push_back(node_);
  }
  ~OpenFile() override {
    // After a crash or a kill the disk has forgotten this file already.
    if (process_ != disk_.process_) return;
    disk_.open_nodes_.erase(std::ranges::find(disk_.open_nodes_, node_));
  }

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) override {
    if (process_ != disk_.process_) return refuse_dead(DiskCall::read, path_);
    if (auto alive = disk_.check_read(DiskCall::read, path_); !alive) return pass(alive.error());
    return node_->content.read(position, into);
  }

  Result<void> write_at(std::uint64_t position, ByteView bytes) override {
    if (auto fine = check(DiskCall::write); !fine) return fine;
    const Fate fate = disk_.next_fate(DiskCall::write);
    const std::uint64_t size_max = disk_.size_max(*node_);
    const std::uint64_t room = size_max > position ? size_max - position : 0;
    // A write that fails half way leaves its beginning behind, as the kernel's does.
    std::size_t written = std::min<std::size_t>(bytes.size(), room);
    if (fate != Fate::done) written = disk_.random_.below(written + 1);
    node_->content.write(position, bytes.first(written));
    if (fate != Fate::done) return refuse_as_planned(DiskCall::write, path_);
    if (written < bytes.size()) return refuse_full(DiskCall::write, path_);
    return {};
  }

  Result<void> sync() override {
    if (auto fine = check(DiskCall::sync); !fine) return fine;
    const Fate fate = disk_.next_fate(DiskCall::sync);
    // Where the machine dies instead, the crash draws what is left.
    if (fate == Fate::fails) node_->content.fail_sync(disk_.random_);
    if (fate != Fate::done) return refuse_as_planned(DiskCall::sync, path_);
    node_->content.sync();
    node_->allocated_durable = node_->allocated;
    return {};
  }

  Result<void> allocate(std::uint64_t size) override {
    if (auto fine = check(DiskCall::allocate); !fine) return fine;
    const bool fits = size <= disk_.size_max(*node_);
    auto done = disk_.step(DiskCall::allocate, path_, [&] {
      if (fits) node_->allocated = std::max(node_->allocated, size);
    });
    if (done && !fits) return refuse_full(DiskCall::allocate, path_);
    return done;
  }

  Result<void> truncate(std::uint64_t size) override {
    if (auto fine = check(DiskCall::truncate); !fine) return fine;
    const bool fits = size <= disk_.size_max(*node_);
    auto done = disk_.step(DiskCall::truncate, path_, [&] {
      if (!fits) return;
      node_->content.truncate(size);
      node_->allocated = std::min(node_->allocated, size);
    });
    if (done && !fits) return refuse_full(DiskCall::truncate, path_);
    return done;
  }

  Result<std::uint64_t> size() override {
    if (process_ != disk_.process_) return refuse_dead(DiskCall::read, path_);
    if (auto alive = disk_.check_alive(DiskCall::read, path_); !alive) return pass(alive.error());
    return node_->content.size();
  }

 private:
  Result<void> check(DiskCall kind) const {
    if (process_ != disk_.process_) return refuse_dead(kind, path_);
    if (auto alive = disk_.check_alive(kind, path_); !alive) return alive;
    if (writable_) return {};
    return refuse(ErrorKind::invalid, kind, path_,
                  "it was opened for reading; open it for writing");
  }

  SimulatedFileSystem& disk_;
  SimulatedNodePtr node_;
  std::string path_;
  bool writable_;
  std::uint64_t process_;
};

// Freed with the object, or with the process that had it.
class SimulatedFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(SimulatedFileSystem& disk, std::string path)
      : disk_(disk), path_(std::move(path)), process_(disk.process_) {}
  ~HeldLock() override {
    if (process_ == disk_.process_) disk_.locked_paths_.erase(path_);
  }

 private:
  SimulatedFileSystem& disk_;
  std::string path_;
  std::uint64_t process_;
};

Result<SimulatedTree::Place> SimulatedFileSystem::place_for(DiskCall kind,
                                                            const std::string& path) const {
  SimulatedTree::Place place = tree_.place(path);
  if (place.directory) return place;
  return refuse(ErrorKind::not_found, kind, path, "no such directory; make its parent first");
}

Result<SimulatedNodePtr> SimulatedFileSystem::open_node(const std::string& path, OpenMode mode) {
  const DiskCall kind = DiskCall::open;
  SimulatedNodePtr node = tree_.find(path);
  if (node && node->is_directory)
    return refuse(ErrorKind::invalid, kind, path, "it is a directory; name a file");
  if (node && mode == OpenMode::create_new)
    return refuse(ErrorKind::already_exists, kind, path, "it exists; choose another name");
  if (node) {
    if (auto alive = check_read(kind, path); !alive) return pass(alive.error());
    return node;
  }
  if (mode == OpenMode::read)
    return refuse(ErrorKind::not_found, kind, path, "no such file; check the path");
  auto place = place_for(kind, path);
  if (!place) return pass(place.error());
  node = std::make_shared<SimulatedNode>();
  auto done = step(kind, path, [&] { tree_.link(*place, node); });
  if (!done) return pass(done.error());
  return node;
}

Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::string& path, OpenMode mode) {
  if (auto alive = check_alive(DiskCall::open, path); !alive) return pass(alive.error());
  auto node = open_node(path, mode);
  if (!node) return pass(node.error());
  return std::make_unique<OpenFile>(*this, std::move(*node), path, mode != OpenMode::read);
}

Result<void> SimulatedFileSystem::remove(const std::string& path) {
  if (auto alive = check_alive(DiskCall::remove, path); !alive) return alive;
  const SimulatedNodePtr node = tree_.find(path);
  if (!node) return refuse(ErrorKind::not_found, DiskCall::remove, path, "no such file");
  if (node->is_directory)
    return refuse(ErrorKind::invalid, DiskCall::remove, path, "it is a directory; name a file");
  return step(DiskCall::remove, path, [&] { tree_.unlink(tree_.place(path)); });
}

Result<void> SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  const DiskCall kind = DiskCall::rename;
  if (auto alive = check_alive(kind, from); !alive) return alive;
  const SimulatedNodePtr node = tree_.find(from);
  if (!node || tree_.split(from).empty())
    return refuse(ErrorKind::not_found, kind, from, "no such file; check the path");
  auto place = place_for(kind, to);
  if (!place) return pass(place.error());
  if (const auto replaced = tree_.find(to); replaced && replaced != node) {
    if (replaced->is_directory != node->is_directory || !replaced->entries.empty())
      return refuse(ErrorKind::invalid, kind, to, "it is in the way; remove it first");
  }
  // Below itself, a directory would be out of everybody's reach.
  if (node->is_directory && joined(tree_.split(to)).starts_with(joined(tree_.split(from)) + "/"))
    return refuse(ErrorKind::invalid, kind, to, "it is below itself; choose another place");
  return step(kind, from, [&] { tree_.rename(tree_.place(from), *place); });
}

Result<void> SimulatedFileSystem::make_directories(const std::string& path) {
  const DiskCall kind = DiskCall::make_directories;
  if (auto alive = check_alive(kind, path); !alive) return alive;
  std::string part;
  for (const std::string& name : tree_.split(path)) {
    part += "/" + name;
    const SimulatedNodePtr found = tree_.find(part);
    if (found && found->is_directory) continue;
    if (found) return refuse(ErrorKind::invalid, kind, part, "it is a file; choose another name");
    auto node = std::make_shared<SimulatedNode>();
    node->is_directory = true;
    // Each directory is a step of its own: a crash may leave some of the parents.
    auto done = step(kind, part, [&] { tree_.link(tree_.place(part), node); });
    if (!done) return done;
  }
  return {};
}

Result<void> SimulatedFileSystem::remove_directory(const std::string& path) {
  const DiskCall kind = DiskCall::remove_directory;
  if (auto alive = check_alive(kind, path); !alive) return alive;
  const SimulatedNodePtr node = tree_.find(path);
  if (!node) return refuse(ErrorKind::not_found, kind, path, "no such directory");
  if (!node->is_directory || tree_.split(path).empty() || !node->entries.empty())
    return refuse(ErrorKind::invalid, kind, path, "it is no empty directory; empty it first");
  return step(kind, path, [&] { tree_.unlink(tree_.place(path)); });
}

Result<std::vector<std::string>> SimulatedFileSystem::list(const std::string& path) {
  if (auto alive = check_read(DiskCall::list, path); !alive) return pass(alive.error());
  const SimulatedNodePtr node = tree_.find(path);
  if (!node)
    return refuse(ErrorKind::not_found, DiskCall::list, path, "no such directory; check the path");
  if (!node->is_directory)
    return refuse(ErrorKind::invalid, DiskCall::list, path, "it is a file; name a directory");
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Result<bool> SimulatedFileSystem::exists(const std::string& path) {
  if (auto alive = check_alive(DiskCall::list, path); !alive) return pass(alive.error());
  return tree_.find(path) != nullptr;
}

Result<void> SimulatedFileSystem::sync_directory(const std::string& path) {
  const DiskCall kind = DiskCall::sync_directory;
  if (auto alive = check_alive(kind, path); !alive) return alive;
  const SimulatedNodePtr node = tree_.find(path);
  if (!node || !node->is_directory)
    return refuse(ErrorKind::not_found, kind, path, "no such directory; check the path");
  return step(kind, path, [&] { tree_.sync(node); });
}

Result<std::unique_ptr<FileLock>> SimulatedFileSystem::lock(const std::string& path) {
  if (auto alive = check_read(DiskCall::lock, path); !alive) return pass(alive.error());
  std::string key = joined(tree_.split(path));
  if (locked_paths_.contains(key)) {
    return refuse(ErrorKind::busy, DiskCall::lock, path,
                  "it is held in this simulation; let go of the other lock");
  }
  if (auto file = open(path, OpenMode::write); !file) return pass(file.error());
  locked_paths_.insert(key);
  return std::make_unique<HeldLock>(*this, std::move(key));
}

std::uint64_t SimulatedFileSystem::used_bytes() {
  // Only disks with a capacity come here, so a walk is cheaper than keeping sums right through
  // crashes.
  std::set<const SimulatedNode*> counted;
  std::uint64_t used = 0;
  const auto count = [&](const SimulatedNode& node) {
    if (counted.insert(&node).second) used += node.space();
  };
  tree_.for_each(count);
  for (const SimulatedNodePtr& node : open_nodes_) count(*node);
  return used;
}

std::uint64_t SimulatedFileSystem::size_max(const SimulatedNode& node) {
  if (!capacity_) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t used = used_bytes();
  return node.space() + (*capacity_ > used ? *capacity_ - used : 0);
}

Result<std::uint64_t> SimulatedFileSystem::free_bytes(const std::string& path) {
  if (auto alive = check_alive(DiskCall::list, path); !alive) return pass(alive.error());
  if (!tree_.find(path))
    return refuse(ErrorKind::not_found, DiskCall::list, path, "no such path; check it");
  const std::uint64_t used = used_bytes();
  const std::uint64_t capacity = capacity_.value_or(kUnlimited);
  return capacity > used ? capacity - used : 0;
}

void SimulatedFileSystem::end_process() {
  ++process_;
  locked_paths_.clear();
  open_nodes_.clear();
  crash_step_.reset();
  failures_.clear();
}

// The tree draws first and the disk works afterwards: no file of the old process can see the
// change.
void SimulatedFileSystem::crash() {
  end_process();
  tree_.crash(random_);
  dead_ = false;
}

void SimulatedFileSystem::kill_process() { end_process(); }

}  // namespace adbrook::io
