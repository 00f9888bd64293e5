// What the property tests of the byte stores share: a store beside a model of it, on a simulated
// disk that may crash at any step, also in the middle of a checkpoint.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "io/random.h"
#include "io/simulated_file_system.h"
#include "io/test_seed.h"
#include "state/checkpoint.h"

namespace adbrook::state {

// Owned by one thread. `Options` make a Store; a Model is copied at each checkpoint.
template <class Store, class Options, class Model>
class ModelledStore {
 public:
  ModelledStore(std::uint64_t seed, Options options)
      : disk_(seed), random_(seed * 31 + 7), options_(options) {
    reopen();
  }

  Store& store() { return *store_; }
  Model& model() { return model_; }
  io::SimulatedFileSystem& disk() { return disk_; }
  Checkpoint& checkpoint() { return *checkpoint_; }

  // True when the disk failed the store, which says so; then it begins again like a new process.
  bool failed() {
    if (store_->trouble()) return false;
    ++failure_count_;
    crash();
    return true;
  }
  std::uint64_t failure_count() const { return failure_count_; }

  // Writes a checkpoint, which a dying disk may prevent, and a store in trouble must.
  void save() {
    written_[++number_] = model_;
    if (!checkpoint_->begin({.commit_number = number_})) return;
    store_->save(*checkpoint_, "store");
    const auto done = checkpoint_->commit();
    if (!store_->trouble()) {
      ASSERT_FALSE(done);
    } else if (!disk_.dead() && !failure_planned_) {
      ASSERT_TRUE(done) << done.error().message;
    }
  }

  // Forgets everything since the newest checkpoint on the disk, as a new process would.
  void crash() {
    disk_.crash();
    failure_planned_ = false;
    reopen();
  }

  void save_and_crash_inside() {
    disk_.crash_at_step(disk_.steps() + random_.below(12));
    save();
    crash();
  }
  // Soon, probably when something is spilled or read back.
  void plan_a_failure() {
    failure_planned_ = true;
    if (random_.below(2) == 0) {
      disk_.crash_at_step(disk_.steps() + random_.below(20));
    } else {
      disk_.fail_call(random_.below(2) == 0 ? io::DiskCall::read : io::DiskCall::write,
                      random_.below(20));
    }
  }

 private:
  void reopen() {
    store_.reset();
    checkpoint_.reset();
    auto opened = Checkpoint::open(disk_, "state/group/0");
    ASSERT_TRUE(opened) << opened.error().message;
    checkpoint_ = std::move(*opened);
    ASSERT_TRUE(checkpoint_->damage().empty()) << checkpoint_->damage().front();
    store_ = std::make_unique<Store>(options_);
    store_->open(*checkpoint_);
    ASSERT_TRUE(store_->trouble());
    model_ = {};
    if (checkpoint_->empty()) return;
    const auto done = store_->load(*checkpoint_, "store");
    ASSERT_TRUE(done) << done.error().message;
    model_ = written_.at(checkpoint_->head().commit_number);
  }

  io::SimulatedFileSystem disk_;
  io::SeededRandom random_;
  Options options_;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Store> store_;
  Model model_;
  std::map<std::uint64_t, Model> written_;  // by the commit number of the checkpoint
  std::uint64_t number_ = 0;
  bool failure_planned_ = false;
  std::uint64_t failure_count_ = 0;
};

// Short keys that share beginnings, the empty one, and rarely a long one.
inline std::string draw_key(io::Random& random, std::uint64_t variety) {
  const std::uint64_t n = random.below(variety);
  if (n == 0) return "";
  std::string key = "k" + std::to_string(n * 7919 % variety);
  if (n % 5 == 0) key += std::string(n % 40, '\xff');
  if (n % 211 == 0) key += std::string(3000, 'x');
  return key;
}

inline std::string draw_value(io::Random& random) {
  const std::uint64_t kind = random.below(20);
  const std::uint64_t size = kind == 0 ? 0 : kind == 1 ? random.below(5000) : random.below(40);
  return std::string(size, static_cast<char>('a' + random.below(26)));
}

inline std::string text_of(ByteView bytes) { return std::string(as_text(bytes)); }

}  // namespace adbrook::state
