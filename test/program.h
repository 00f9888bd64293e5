// Runs the real binary in a test: its output in files, its end by signal or exit code, and nothing
// left behind when the test ends early.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace adbrook::test {

// A directory of its own for each test, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

using ProgramEnvironment = std::vector<std::pair<std::string, std::string>>;

// One process. Killed by the destructor when it still runs.
class Program {
 public:
  // `words[0]` is looked up in PATH; `environment` is added to the test's own.
  Program(const Scratch& scratch, std::vector<std::string> words,
          ProgramEnvironment environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number);
  // The exit code, 128 + n when signal n ended it, nothing after the time is over.
  std::optional<int> wait(std::chrono::seconds patience = std::chrono::seconds(60));
  // Waits until stdout holds `text`; false when it ended before or the time is over.
  bool wait_for_output(const std::string& text,
                       std::chrono::seconds patience = std::chrono::seconds(30));
  bool running();

  std::string out() const;
  std::string err() const;

 private:
  std::string out_path_;
  std::string err_path_;
  pid_t pid_ = -1;
  std::optional<int> ended_;
};

// Runs `adbrook` with these words to its end.
struct Outcome {
  int code = -1;  // -1: it did not end in time
  std::string out;
  std::string err;
};
Outcome adbrook(const Scratch& scratch, std::vector<std::string> words,
                ProgramEnvironment environment = {},
                std::chrono::seconds patience = std::chrono::seconds(120));
// Any other program, likewise.
Outcome run(const Scratch& scratch, std::vector<std::string> words,
            std::chrono::seconds patience = std::chrono::seconds(120));

// A running engine on free ports.
class Serving {
 public:
  Serving(const Scratch& scratch, std::string data, std::vector<std::string> flags = {});
  // Whether it said that it is ready.
  bool ready() const { return !url_.empty(); }
  const std::string& url() const { return url_; }
  Program& program() { return program_; }
  // SIGTERM, and its exit code.
  std::optional<int> stop();

 private:
  Program program_;
  std::string url_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);

}  // namespace adbrook::test
