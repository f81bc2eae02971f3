#include "workload.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace tabmesh::sim {

namespace {

constexpr std::string_view kTops[] = {"a", "b", "c"};
constexpr std::string_view kKeys[] = {"a", "b", "c", "x", "y", "z"};
constexpr uint64_t kPathSizeMax = 3;

// `top` may be an index of kTops.
std::string PathBelow(uint64_t top, Random* random) {
  std::string path = "[\"" + std::string(kTops[top]) + '"';
  for (uint64_t depth = random->Below(kPathSizeMax); depth > 0; --depth) {
    path += ",\"" + std::string(kKeys[random->Below(6)]) + '"';
  }
  return path + ']';
}

std::string Value(Random* random) {
  switch (random->Below(8)) {
    case 0:
      return "{}";
    case 1:
      return R"({"x":)" + std::to_string(random->Below(9)) + '}';
    case 2:
      return R"({"x":{"y":[)" + std::to_string(random->Below(9)) + R"(]},"z":null})";
    case 3:
      return R"([1,{"two":2}])";
    case 4:
      return R"("\ud800 lone")";
    default:
      return std::to_string(random->Below(1000));
  }
}

/// Sets, removes or replaces at one place, or at two below different keys.
class Edits : public Operation {
 public:
  uint64_t Weight() const override { return 900; }
  void Perform(Tab* tab, Random* random) override {
    const uint64_t top = random->Below(3);
    std::string edits = "[" + One(top, random);
    if (random->Chance(100)) edits += ',' + One((top + 1) % 3, random);
    tab->Set(edits + ']');
  }

 private:
  static std::string One(uint64_t top, Random* random) {
    std::string edit = '[' + PathBelow(top, random);
    if (random->Chance(200)) return edit + ']';
    edit += ',' + Value(random);
    return edit + (random->Chance(100) ? ",1]" : "]");
  }
};

/// A key that is one leaf, whatever its value.
class WholeKey : public Operation {
 public:
  uint64_t Weight() const override { return 100; }
  void Perform(Tab* tab, Random* random) override {
    tab->Set(random->Chance(150) ? R"([[["whole"]]])" : R"([[["whole"],)" + Value(random) + "]]");
  }
};

/// A value that does not fit one message: it travels in fragments.
class LongValue : public Operation {
 public:
  uint64_t Weight() const override { return 4; }
  void Perform(Tab* tab, Random* random) override {
    if (random->Chance(500)) return tab->Set(R"([[["whole"],0]])");
    const std::string text(70000 + random->Below(80000), static_cast<char>('a' + random->Below(26)));
    tab->Set(R"([[["whole"],")" + text + "\"]]");
  }
};

/// Adds to a number; now and then sets it.
class Counting : public Operation {
 public:
  uint64_t Weight() const override { return 150; }
  void Perform(Tab* tab, Random* random) override {
    const std::string path = random->Chance(700) ? R"(["counts","n"])" : R"(["counts","below","n"])";
    const std::string by = std::to_string(random->Below(9)) + (random->Chance(50) ? "]]" : ",2]]");
    tab->Set("[[" + path + "," + by);
  }
};

/// Inserts, moves, edits and removes items of a keyed list, as an array that is assigned or by path.
class ListWork : public Operation {
 public:
  uint64_t Weight() const override { return 200; }
  void Perform(Tab* tab, Random* random) override {
    if (random->Chance(20))
      return tab->Set(random->Chance(500) ? R"([[["list"]]])" : R"([[["list"],"none"]])");
    std::vector<std::string> ids;
    const auto& members = tab->mirror().root().members;
    if (const auto list = members.find("list"); list != members.end() && list->second.list)
      ids = list->second.order;
    const size_t at = ids.empty() ? 0 : static_cast<size_t>(random->Below(ids.size()));
    if (!ids.empty() && random->Chance(400)) {
      const std::string field = R"([[["list",)" + Quoted(ids[at]);
      if (random->Chance(150)) return tab->Set(field + "]]]");
      return tab->Set(field + R"(,")" + (random->Chance(500) ? "x" : "y") + "\"]," + Value(random) + "]]");
    }
    if (ids.size() < 3 || (ids.size() < 9 && random->Chance(400))) {
      ids.insert(ids.begin() + static_cast<ptrdiff_t>(at), std::to_string(random->Below(30)));
    } else if (random->Chance(500)) {
      std::swap(ids[at], ids[random->Below(ids.size())]);
    } else {
      ids.erase(ids.begin() + static_cast<ptrdiff_t>(at));
    }
    tab->Set(R"([[["list"],[)" + Items(tab, ids) + "]]]");
  }

 private:
  // Ids are whole numbers here, so a path names an item by its digits.
  static std::string Quoted(const std::string& id) { return '"' + id + '"'; }

  static std::string Items(const Tab* tab, const std::vector<std::string>& ids) {
    std::string text;
    std::vector<std::string> seen;
    const auto& members = tab->mirror().root().members;
    const auto list = members.find("list");
    for (const std::string& id : ids) {
      if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
      seen.push_back(id);
      text += (text.empty() ? "{\"id\":" : ",{\"id\":") + id;
      const bool there = list != members.end() && list->second.list && list->second.members.count(id) > 0;
      if (there) {
        // Fields that are plain text are kept, others go: that is an edit as well.
        for (const auto& [key, value] : list->second.members.at(id).members) {
          if (key != "id" && !value.text.empty()) text += ",\"" + key + "\":" + value.text;
        }
      }
      text += '}';
    }
    return text;
  }
};

/// Adds one to this tab's own number, which nothing else writes.
class Total : public Operation {
 public:
  uint64_t Weight() const override { return 250; }
  void Perform(Tab* tab, Random*) override { tab->AddToTotal(); }
};

/// Reads the ledger and writes one more, in one transaction of the database.
class Ledger : public Operation {
 public:
  uint64_t Weight() const override { return 100; }
  void Perform(Tab* tab, Random* random) override {
    tab->Transact(random->Chance(300) ? 1 + random->Below(kIds) : 0);
  }

 private:
  static constexpr uint64_t kIds = 200;
};

/// Keys whose concurrent values are kept beside one another.
class Beside : public Operation {
 public:
  uint64_t Weight() const override { return 150; }
  void Perform(Tab* tab, Random* random) override {
    const std::string key = random->Chance(500) ? R"([[["seat"])" : R"([[["title"])";
    tab->Set(random->Chance(150) ? key + "]]" : key + ',' + Value(random) + "]]");
  }
};

std::vector<std::unique_ptr<Operation>> MakeOperations(Random* random) {
  std::vector<std::unique_ptr<Operation>> operations;
  operations.push_back(std::make_unique<Edits>());
  operations.push_back(std::make_unique<WholeKey>());
  if (random->Chance(800)) operations.push_back(std::make_unique<Counting>());
  if (random->Chance(800)) operations.push_back(std::make_unique<Total>());
  if (random->Chance(500)) operations.push_back(std::make_unique<Ledger>());
  if (random->Chance(800)) operations.push_back(std::make_unique<ListWork>());
  if (random->Chance(800)) operations.push_back(std::make_unique<Beside>());
  // Long values cost the time of many short ones.
  if (random->Chance(60)) operations.push_back(std::make_unique<LongValue>());
  return operations;
}

}  // namespace

Workload::Workload(uint64_t seed) : random_(seed, kStreamWorkload) {
  pause_ms_max_ = random_.Between(20, 800);
  operations_ = MakeOperations(&random_);
  for (const auto& operation : operations_) weights_ += operation->Weight();
}

void Workload::Act(Tab* tab) {
  uint64_t at = random_.Below(weights_);
  for (const auto& operation : operations_) {
    if (at < operation->Weight()) {
      operation->Perform(tab, &random_);
      break;
    }
    at -= operation->Weight();
  }
  ++acts_;
  if (random_.Chance(50)) tab->WantShared();
}

uint64_t Workload::PauseMs() { return random_.Chance(300) ? random_.Below(4) : random_.Below(pause_ms_max_); }

// Below each of three keys: paths, what the values at their ends open up (x, z, x.y), and "whole"; counts; a
// list of 30 items, each with its id, position and two fields of such values; two keys beside; the numbers of
// tabs; the ledger.
uint64_t Workload::Places() { return 3 * (1 + 6 + 6 + 36 * 4) + 2 + 5 + 30 * (3 + 2 * 4) + 1 + 2 + 1 + 1; }

}  // namespace tabmesh::sim
