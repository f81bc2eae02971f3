// Devices of several tabs and a relay, as far as the core goes: frames on the way to the relay are lost,
// doubled and late, connections are cut, the relay dies, its log is compacted, and another log takes over
// that lacks the newest part. Greetings and their answers make all equal, and what was acknowledged is in the
// log as long as the log itself forgets nothing. Replay with TABMESH_SEED=<seed>; more rounds with
// TABMESH_ROUNDS=<n>.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/replicas.h"

namespace tabmesh {
namespace {

constexpr size_t kDevices = 3;
constexpr size_t kTabs = 2;

/// What Redis has: entries, and a checkpoint that stands for the first of them.
struct Log {
  std::string checkpoint;
  std::vector<std::string> entries;
};

struct Device {
  std::vector<std::unique_ptr<Replica>> tabs;  // the first leads
  bool connected = false;
  std::vector<std::string> up;    // on their way to the relay
  std::vector<std::string> down;  // and from it
  Replica* leader() { return tabs[0].get(); }
};

class RelayWorld {
 public:
  explicit RelayWorld(uint64_t seed) : random_(seed) {
    uint8_t id = 0;
    for (Device& device : devices_) {
      for (size_t i = 0; i < kTabs; ++i) device.tabs.push_back(MakeTab(++id));
    }
    StartRelay();
  }

  void Step() {
    now_ += random_() % 20;
    Device& device = devices_[random_() % kDevices];
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return Write(&device);
      case 5:
      case 6:
        return Connect(&device);
      case 7:
        return Cut(&device);
      case 8:
      case 9:
      case 10:
        return Deliver(&device);
      case 11:
        return Compact();
      case 12:
        if (Chance(4)) StartRelay();
        return;
      case 13:
        if (Chance(8)) FailOver();
        return;
      default:
        return Take(&device);
    }
  }

  /// All are connected, and nothing is lost any more. Whatever the log has forgotten the devices have.
  void Settle() {
    for (int round = 0; round < 3; ++round) {
      for (Device& device : devices_) {
        Connect(&device);
        while (!device.up.empty()) DeliverNext(&device);
      }
      for (Device& device : devices_) {
        while (!device.down.empty()) Take(&device);
      }
    }
    StartRelay();
    for (Device& device : devices_) {
      for (const auto& tab : device.tabs) {
        EXPECT_EQ(tab->digest(), relay_->digest());
      }
    }
  }

  void CheckAcknowledged() {
    const auto fresh = Read();
    for (const auto& [instance, seq] : acknowledged_) EXPECT_GE(fresh->vector().WholeOf(instance), seq);
  }

 private:
  std::unique_ptr<Replica> MakeTab(uint8_t id) {
    ReplicaOptions options = OptionsOf(id);
    options.default_strategy = Strategy::kMerge;
    options.strategies["choice"] = Strategy::kPrompt;
    options.strategies["first"] = Strategy::kFirstWriteWins;
    return MakeReady(options);
  }

  bool Chance(uint32_t in) { return random_() % in == 0; }

  std::unique_ptr<Replica> Read() {
    auto fresh = MakeReady(OptionsOf(200));
    if (!log_.checkpoint.empty()) EXPECT_EQ(fresh->Restore(log_.checkpoint, now_), Status::kOk);
    for (const std::string& entry : log_.entries) EXPECT_EQ(fresh->Restore(entry, now_), Status::kOk);
    return fresh;
  }

  /// A relay that has nothing but the log, and no connections.
  void StartRelay() {
    relay_ = Read();
    for (Device& device : devices_) Cut(&device);
  }

  void Cut(Device* device) {
    device->connected = false;
    device->up.clear();
    device->down.clear();
  }

  /// Both greet, and answer what they are told.
  void Connect(Device* device) {
    device->connected = true;
    Buffer lacking;
    ASSERT_EQ(relay_->EncodeAnswer(device->leader()->EncodeGreeting().view(), &lacking), Status::kOk);
    if (lacking.size() > 0) device->down.emplace_back(lacking.view());
    Buffer offer;
    ASSERT_EQ(device->leader()->EncodeAnswer(relay_->EncodeGreeting().view(), &offer), Status::kOk);
    if (offer.size() > 0) device->up.emplace_back(offer.view());
  }

  void Write(Device* device) {
    static constexpr const char* kEdits[] = {
        R"([[["tree","a"],1]])", R"([[["tree","b"],{"x":1}]])", R"([[["tree"]]])",     R"([[["count"],1,2]])",
        R"([[["choice"],"c"]])", R"([[["first"],"f"]])",        R"([[["tree","a"]]])", R"([[["count"],2,2]])",
    };
    Replica* tab = device->tabs[random_() % kTabs].get();
    const std::string frame = Set(tab, kEdits[random_() % 8], now_);
    if (frame.empty()) return;
    for (const auto& other : device->tabs) {
      if (other.get() != tab) other->Receive(frame, now_);
      other->actions()->Clear();
    }
    if (device->connected) device->up.push_back(frame);
  }

  /// The next, or one out of turn; now and then it is lost with the connection, or comes twice.
  void Deliver(Device* device) {
    if (device->up.empty()) return;
    if (Chance(10)) return Cut(device);
    if (Chance(6)) device->up.push_back(device->up.front());
    if (Chance(6)) std::swap(device->up.front(), device->up.back());
    DeliverNext(device);
  }

  void DeliverNext(Device* device) {
    const std::string frame = device->up.front();
    device->up.erase(device->up.begin());
    ASSERT_EQ(relay_->Restore(frame, now_), Status::kOk);
    for (Device& other : devices_) {
      if (&other != device && other.connected) other.down.push_back(frame);
    }
    log_.entries.push_back(frame);
    // It is acknowledged: all of the device that the log now has.
    for (const auto& tab : device->tabs) {
      const InstanceId& instance = tab->options().instance;
      acknowledged_.emplace_back(instance, relay_->vector().WholeOf(instance));
    }
  }

  /// The leader takes a frame of others, and greets its tabs.
  void Take(Device* device) {
    if (device->down.empty()) return;
    const std::string frame = device->down.front();
    device->down.erase(device->down.begin());
    ASSERT_EQ(device->leader()->Restore(frame, now_), Status::kOk);
    device->leader()->Restored(/*alone=*/false, now_);
    device->leader()->actions()->Clear();
    for (const auto& tab : device->tabs) {
      if (tab.get() == device->leader()) continue;
      tab->Receive(device->leader()->EncodeGreeting().view(), now_);
      Exchange({tab.get(), device->leader()});
    }
  }

  void Compact() {
    if (log_.entries.size() < 8) return;
    Buffer state;
    ASSERT_EQ(relay_->EncodeCheckpoint(&state), Status::kOk);
    log_.checkpoint = state.view();
    log_.entries.erase(log_.entries.begin(), log_.entries.end() - 3);
  }

  /// Another log takes over, which lacks the newest entries: what it had acknowledged is promised by nobody
  /// but the devices.
  void FailOver() {
    const size_t lost = std::min<size_t>(log_.entries.size(), 1 + random_() % 5);
    log_.entries.resize(log_.entries.size() - lost);
    acknowledged_.clear();
    StartRelay();
  }

  std::mt19937_64 random_;
  uint64_t now_ = kNow;
  Device devices_[kDevices];
  Log log_;
  std::unique_ptr<Replica> relay_;
  std::vector<std::pair<InstanceId, uint32_t>> acknowledged_;
};

TEST(Relay, DevicesEndEqualAndWhatIsAcknowledgedIsInTheLog) {
  const char* seed = std::getenv("TABMESH_SEED");
  const char* wanted = std::getenv("TABMESH_ROUNDS");
  const uint64_t first = seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1;
  const uint64_t rounds = seed != nullptr ? 1 : wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 300;
  for (uint64_t at = first; at < first + rounds; ++at) {
    RelayWorld world(at);
    for (int step = 0; step < 200; ++step) {
      world.Step();
      if (step % 40 == 0) world.CheckAcknowledged();
    }
    world.CheckAcknowledged();
    world.Settle();
    world.CheckAcknowledged();
    if (testing::Test::HasFailure()) FAIL() << "replay with TABMESH_SEED=" << at;
  }
}

}  // namespace
}  // namespace tabmesh
