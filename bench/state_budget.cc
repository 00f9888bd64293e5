// Opens very many keys in a window of 24 hours under a declared budget of memory, and measures what
// the process really takes: resident memory, disk, time per event. Every sampled value is compared
// with what it has to be; a wrong one, or memory over the budget, ends with code 1.
#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/random.h"
#include "io/real_file_system.h"
#include "state/checkpoint.h"
#include "state/key_value_store.h"
#include "state/time_store.h"

namespace adbrook::state {
namespace {

constexpr Millis kDay = std::chrono::hours(24);
constexpr std::uint64_t kSampleEvery = 1000;
// Of the process beside the store: code, allocator, buffers of files, of runs being merged and of
// one bucket being loaded.
constexpr std::int64_t kBesides = std::int64_t{64} << 20;

struct Arguments {
  std::uint64_t keys = 50'000'000;
  std::int64_t budget = std::int64_t{1} << 30;
  std::string store = "both";
  std::string directory = "/tmp/adbrook-state-budget";
};

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "state_budget: %s\n", why.c_str());
  std::exit(1);
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * 4096;
}

// The most since the last reset, told by the kernel, which misses no moment.
std::int64_t resident_bytes_max() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::int64_t kib = 0;
    if (word == "VmHWM:" && file >> kib) return kib << 10;
  }
  stop("/proc/self/status tells no VmHWM; this needs Linux");
}

void reset_resident_bytes_max() {
  std::ofstream file("/proc/self/clear_refs");
  if (!(file << "5" << std::flush)) stop("/proc/self/clear_refs cannot be written to");
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::uint64_t disk_bytes(io::FileSystem& files, const std::string& directory) {
  std::uint64_t bytes = 0;
  const std::vector<std::string> names = files.list(directory).value_or(std::vector<std::string>{});
  for (const std::string& name : names)
    if (auto file = files.open(directory + "/" + name, io::OpenMode::read))
      bytes += (*file)->size().value_or(0);
  return bytes;
}

void expect(const Result<void>& done) {
  if (!done) stop(done.error().message);
}

// Key n: 16 bytes, spread as ids are.
struct Key {
  std::byte bytes[16];
  explicit Key(std::uint64_t n) {
    const std::uint64_t halves[2] = {n * 0x9E3779B97F4A7C15ull, n ^ 0xA0761D6478BD642Full};
    std::memcpy(bytes, halves, sizeof bytes);
  }
  operator ByteView() const { return bytes; }
};

// Both kinds of store behind the three calls that the run makes.
struct InTime {
  static constexpr const char* kName = "TimeStore, buckets of 10 minutes";
  TimeStore store;
  std::uint64_t keys;
  InTime(Bytes budget, std::uint64_t key_count)
      : store({.budget = budget, .over_budget = OverBudget::spill, .hash_seed = 7}),
        keys(key_count) {}
  Timestamp time_of(std::uint64_t n) const {
    return {static_cast<std::int64_t>(static_cast<double>(n) / static_cast<double>(keys) *
                                      static_cast<double>(kDay.count()))};
  }
  std::span<std::byte> upsert(std::uint64_t n) { return store.upsert(Key(n), time_of(n), 8); }
  std::optional<ByteView> get(std::uint64_t n) const { return store.get(Key(n), time_of(n)); }
};
struct ByKey {
  static constexpr const char* kName = "KeyValueStore";
  KeyValueStore store;
  ByKey(Bytes budget, std::uint64_t)
      : store({.budget = budget, .over_budget = OverBudget::spill, .hash_seed = 7}) {}
  std::span<std::byte> upsert(std::uint64_t n) { return store.upsert(Key(n), 8); }
  std::optional<ByteView> get(std::uint64_t n) const { return store.get(Key(n)); }
};

template <class Store>
class Run {
 public:
  explicit Run(const Arguments& arguments)
      : arguments_(arguments), updates_(arguments.keys / kSampleEvery + 1) {}

  void all() {
    std::printf("\n%s: %llu keys of 16 bytes with 8 bytes each, budget %lld MiB\n", Store::kName,
                static_cast<unsigned long long>(arguments_.keys),
                static_cast<long long>(arguments_.budget >> 20));
    remove_files();
    malloc_trim(0);
    resident_before_ = resident_bytes();
    begin_phase();
    open();
    insert();
    look_up("look-ups of random keys");
    reopen();
    look_up("the same after the restart");
    if (highest_resident_ > arguments_.budget + kBesides)
      stop("more memory than the budget was used");
    remove_files();
  }

 private:
  void open() {
    auto opened = Checkpoint::open(files_, arguments_.directory);
    if (!opened) stop(opened.error().message);
    checkpoint_ = std::move(*opened);
    if (!checkpoint_->damage().empty()) stop(checkpoint_->damage().front());
    store_ = std::make_unique<Store>(Bytes{arguments_.budget}, arguments_.keys);
    store_->store.open(*checkpoint_);
    expect(store_->store.trouble());
  }

  void add_one(std::uint64_t n) {
    const std::span<std::byte> value = store_->upsert(n);
    store_le(value.data(), load_le<std::uint64_t>(value.data()) + 1);
    if (n % kSampleEvery == 0) ++updates_[n / kSampleEvery];
  }

  // Each key once; a tenth of the events touch a key of the last seconds again, a fiftieth any.
  void insert() {
    const double cpu_before = cpu_seconds();
    std::uint64_t events = 0;
    for (std::uint64_t n = 0; n < arguments_.keys; ++n) {
      add_one(n);
      if (n % 10 == 3) add_one(n - std::min<std::uint64_t>(n, random_.below(5000))), ++events;
      if (n % 50 == 9) add_one(random_.below(n)), ++events;
      if (++events % 4096 < 2) watch();
      if (n % (arguments_.keys / 5) == arguments_.keys / 5 - 1) save();
    }
    expect(store_->store.trouble());
    if (store_->store.count() != arguments_.keys) stop("the store counts another number of keys");
    report("insert and update", events, cpu_seconds() - cpu_before - save_cpu_);
    std::printf("  checkpoints: 5, %.1f s of CPU together\n", save_cpu_);
    std::printf("  on disk: %.0f MiB with the checkpoints\n",
                static_cast<double>(disk_bytes(files_, arguments_.directory)) / (1 << 20));
  }

  void save() {
    const double before = cpu_seconds();
    expect(checkpoint_->begin({}));
    store_->store.save(*checkpoint_, "store");
    expect(checkpoint_->commit());
    save_cpu_ += cpu_seconds() - before;
  }

  void look_up(const char* what) {
    const std::uint64_t count = std::min<std::uint64_t>(arguments_.keys, 2'000'000);
    const double before = cpu_seconds();
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t sample = random_.below(arguments_.keys / kSampleEvery);
      const auto value = store_->get(sample * kSampleEvery);
      if (!value || load_le<std::uint64_t>(value->data()) != updates_[sample])
        stop("a value is not what it has to be");
      if (store_->get(arguments_.keys + i)) stop("a key is there that was never added");
    }
    report(what, 2 * count, cpu_seconds() - before);
  }

  // A new process begins without the store before it, and without what that one freed.
  void reopen() {
    store_.reset();
    checkpoint_.reset();
    malloc_trim(0);
    begin_phase();
    const double before = cpu_seconds();
    open();
    expect(store_->store.load(*checkpoint_, "store"));
    const double cpu = cpu_seconds() - before;
    // Blobs are loaded, runs only verified.
    std::uint64_t bytes = 0;
    for (const std::string& name : checkpoint_->names("")) bytes += *checkpoint_->size(name);
    const auto mib = [](std::uint64_t of) { return static_cast<double>(of) / (1 << 20); };
    std::printf(
        "  restart from the last checkpoint: %.2f s of CPU, %.0f MiB, of which %.0f of runs, "
        "%.0f MiB/s",
        cpu, mib(bytes), mib(bytes - checkpoint_->live_bytes()), mib(bytes) / cpu);
    end_phase();
  }

  void watch() { peak_memory_ = std::max(peak_memory_, store_->store.memory().count); }

  void report(const char* what, std::uint64_t events, double cpu) {
    std::printf("  %-28s %7.0f ns of CPU each, %.1f s", what,
                cpu / static_cast<double>(events) * 1e9, cpu);
    end_phase();
  }

  void begin_phase() {
    reset_resident_bytes_max();
    peak_memory_ = 0;
  }

  // The store's own count is that of the moments of watch(), and of now.
  void end_phase() {
    watch();
    const std::int64_t resident = resident_bytes_max() - resident_before_;
    highest_resident_ = std::max(highest_resident_, resident);
    std::printf("; resident at most %lld MiB (store: %lld)\n",
                static_cast<long long>(resident >> 20), static_cast<long long>(peak_memory_ >> 20));
    std::fflush(stdout);
    begin_phase();
  }

  void remove_files() {
    store_.reset();
    checkpoint_.reset();
    const auto names = files_.list(arguments_.directory).value_or(std::vector<std::string>{});
    for (const std::string& name : names)
      static_cast<void>(files_.remove(arguments_.directory + "/" + name));
  }

  Arguments arguments_;
  io::RealFileSystem files_;
  io::SeededRandom random_{11};
  std::vector<std::uint64_t> updates_;  // of the sampled keys
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Store> store_;
  std::int64_t resident_before_ = 0;
  std::int64_t highest_resident_ = 0;
  std::int64_t peak_memory_ = 0;  // of this phase
  double save_cpu_ = 0;
};

constexpr const char* kHelp =
    "state_budget: very many keys under a budget of memory, most of them on disk\n"
    "\n"
    "  --keys N        keys in the window of 24 hours (50000000)\n"
    "  --budget MiB    declared memory of the store (1024)\n"
    "  --store WHICH   time, keys or both (both)\n"
    "  --directory D   where to spill; its files are removed (/tmp/adbrook-state-budget)\n"
    "\n"
    "example: build/bench/state_budget --keys 5000000 --budget 128\n"
    "\n"
    "Ends with code 1 when a value is wrong or when the process takes more than the budget and\n"
    "64 MiB for everything beside the store.\n";

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1)
    stop("'" + text + "' is no number from 1 up; see --help");
  return value;
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    if (i + 1 == argc) stop("what is '" + flag + "'? see --help");
    const std::string value = argv[++i];
    if (flag == "--keys") {
      arguments.keys = std::max<std::uint64_t>(static_cast<std::uint64_t>(number(value)), 10'000);
    } else if (flag == "--budget") {
      arguments.budget = number(value) << 20;
    } else if (flag == "--store") {
      arguments.store = value;
    } else if (flag == "--directory") {
      arguments.directory = value;
    } else {
      stop("what is '" + flag + "'? see --help");
    }
  }
  return arguments;
}

}  // namespace
}  // namespace adbrook::state

int main(int argc, char** argv) {
  using namespace adbrook::state;
  const Arguments arguments = parse(argc, argv);
  if (arguments.store != "keys") Run<InTime>(arguments).all();
  if (arguments.store != "time") Run<ByKey>(arguments).all();
  std::printf("\nall sampled values were right and the budget was kept\n");
}
