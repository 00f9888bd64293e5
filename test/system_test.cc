// The real binary as a user meets it: good starts, clean stops, and what bad surroundings get.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "test/program.h"

namespace adbrook::test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Serve, says_where_it_listens_and_stops_cleanly_on_ctrl_c) {
  const Scratch scratch;
  for (const int number : {SIGINT, SIGTERM}) {
    Serving serving(scratch, scratch / "data");
    ASSERT_TRUE(serving.ready()) << serving.program().err();
    EXPECT_TRUE(has(serving.program().out(), "ready in")) << serving.program().out();
    serving.program().signal(number);
    EXPECT_EQ(serving.program().wait(), 0) << serving.program().err();
  }
}

TEST(Serve, a_port_in_use_names_who_has_it) {
  const Scratch scratch;
  Serving first(scratch, scratch / "data");
  ASSERT_TRUE(first.ready());
  const std::string address = first.url().substr(7);
  const auto second = adbrook(scratch, {"serve", "--data", scratch / "other", "--http", address});
  EXPECT_EQ(second.code, 3);
  EXPECT_TRUE(has(second.err, address)) << second.err;
  EXPECT_TRUE(has(second.err, "in use") || has(second.err, "process")) << second.err;
}

TEST(Serve, a_locked_data_directory_names_who_has_it) {
  const Scratch scratch;
  Serving first(scratch, scratch / "data");
  ASSERT_TRUE(first.ready());
  const auto second =
      adbrook(scratch, {"serve", "--data", scratch / "data", "--http", "127.0.0.1:0"});
  EXPECT_EQ(second.code, 3);
  EXPECT_TRUE(has(second.err, scratch / "data")) << second.err;
  EXPECT_TRUE(has(second.err, "process")) << second.err;
}

TEST(Serve, a_foreign_directory_is_refused_and_left_alone) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "photos");
  write_file(scratch / "photos/holiday.jpg", "not ours");
  const auto refused =
      adbrook(scratch, {"serve", "--data", scratch / "photos", "--http", "127.0.0.1:0"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_TRUE(has(refused.err, scratch / "photos")) << refused.err;
  EXPECT_EQ(read_file(scratch / "photos/holiday.jpg"), "not ours");
}

TEST(Serve, a_newer_directory_is_refused) {
  const Scratch scratch;
  {
    ASSERT_TRUE(Serving(scratch, scratch / "data").stop() == 0);
  }
  const std::string format = read_file(scratch / "data/FORMAT");
  std::string newer = format;
  const auto digit = newer.find_last_of("0123456789");
  ASSERT_NE(digit, std::string::npos) << format;
  newer.insert(digit, "9");
  write_file(scratch / "data/FORMAT", newer);
  const auto refused =
      adbrook(scratch, {"serve", "--data", scratch / "data", "--http", "127.0.0.1:0"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_TRUE(has(refused.err, "newer") || has(refused.err, "version")) << refused.err;
  write_file(scratch / "data/FORMAT", format);
  EXPECT_TRUE(Serving(scratch, scratch / "data").ready());
}

TEST(Serve, a_directory_that_cannot_be_written_is_refused) {
  const Scratch scratch;
  // Also root cannot make a directory inside a file or under /proc.
  const auto refused =
      adbrook(scratch, {"serve", "--data", "/proc/adbrook-data", "--http", "127.0.0.1:0"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_TRUE(has(refused.err, "/proc/adbrook-data")) << refused.err;
}

TEST(Serve, an_address_others_can_reach_is_refused) {
  const Scratch scratch;
  const auto refused =
      adbrook(scratch, {"serve", "--data", scratch / "data", "--http", "0.0.0.0:0"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "--insecure-public")) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "data"));
}

TEST(Config, a_typo_is_found_by_check_and_by_serve_with_the_nearest_key) {
  const Scratch scratch;
  write_file(scratch / "adbrook.toml", "[http]\nlisen = \"127.0.0.1:0\"\n");
  for (const char* command : {"check", "serve"}) {
    std::vector<std::string> words = {"serve", "--config", scratch / "adbrook.toml"};
    if (std::string(command) == "check") words = {"config", "check", "--config", words[2]};
    const auto refused = adbrook(scratch, words);
    EXPECT_EQ(refused.code, 2);
    EXPECT_TRUE(has(refused.err, "adbrook.toml:2")) << refused.err;
    EXPECT_TRUE(has(refused.err, "did you mean 'http.listen'")) << refused.err;
  }
}

TEST(Config, the_environment_is_used_and_checked) {
  const Scratch scratch;
  const auto shown = adbrook(scratch, {"config", "show", "--format", "csv"},
                             {{"ADBROOK__LOG__SEGMENT_BYTES", "2MiB"}});
  EXPECT_EQ(shown.code, 0);
  EXPECT_TRUE(has(shown.out, "log.segment.bytes,2MiB,environment")) << shown.out;
  EXPECT_EQ(adbrook(scratch, {"config", "check"}, {{"ADBROOK__LOG__NOPE", "1"}}).code, 2);
}

TEST(Commands, a_server_that_is_not_there_is_named_with_what_to_do) {
  const Scratch scratch;
  const auto answer =
      adbrook(scratch, {"report", "click-through", "--server", "http://127.0.0.1:1"});
  EXPECT_EQ(answer.code, 3);
  EXPECT_TRUE(has(answer.err, "adbrook serve")) << answer.err;
}

TEST(Commands, usage_errors_help_and_version_have_their_exit_codes) {
  const Scratch scratch;
  EXPECT_EQ(adbrook(scratch, {"serv"}).code, 2);
  EXPECT_EQ(adbrook(scratch, {"--help"}).code, 0);
  EXPECT_TRUE(adbrook(scratch, {"version"}).out.starts_with("adbrook "));
  EXPECT_EQ(adbrook(scratch, {"doctor", "--data", scratch / "data", "--http", "127.0.0.1:0",
                              "--set", "kafka.listen=127.0.0.1:0"})
                .code,
            0);
}

// A small file system of its own that the test may fill.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    std::filesystem::create_directory(path);
    mounted_ = ::mount("adbrook-test", path.c_str(), "tmpfs", 0, "size=96m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(FullDisk, answers_503_keeps_what_was_acknowledged_and_goes_on_when_there_is_room) {
  const Scratch scratch;
  const SmallDisk disk(scratch / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs needs root";
  Serving serving(scratch, scratch / "disk/data",
                  {"--set", "log.wal.file.bytes=16MiB", "--set", "log.segment.bytes=1MiB"});
  ASSERT_TRUE(serving.ready()) << serving.program().err();
  ASSERT_EQ(adbrook(scratch, {"generate", "--events", "500", "--to", serving.url()}).code, 0);
  write_file(scratch / "disk/ballast", std::string(96 << 20, 'x'));
  const auto refused = adbrook(scratch, {"generate", "--events", "20000", "--seed", "7",
                                         "--retry-for", "1s", "--to", serving.url()});
  EXPECT_EQ(refused.code, 3) << refused.err;
  EXPECT_TRUE(has(refused.err, "disk") || has(refused.err, "space")) << refused.err;
  std::filesystem::remove(scratch / "disk/ballast");
  const auto sent =
      adbrook(scratch, {"generate", "--events", "1000", "--seed", "8", "--to", serving.url()});
  EXPECT_EQ(sent.code, 0) << sent.err;
  EXPECT_EQ(adbrook(scratch, {"audit", "--server", serving.url()}).code, 0);
  EXPECT_EQ(serving.stop(), 0) << serving.program().err();
}

}  // namespace
}  // namespace adbrook::test
