// Hard cases, told step by step in tests/golden/transcripts. TABMESH_REWRITE_GOLDEN=1 rewrites them: read the
// difference.
#include <gtest/gtest.h>

#include <string>

#include "story.h"

namespace tabmesh::transcripts {
namespace {

TEST(Transcripts, SameMillisecond) {
  Story story("Two tabs write one field in the same millisecond");
  story.Open('A');
  story.Open('B');
  story.Write('A', R"([[["filters","sort"],"by name"]])");
  story.Write('B', R"([[["filters","sort"],"by date"],[["filters","open"],true]])");
  story.Say("Stamps are equal, so the larger instance decides, in both tabs alike. The other field is kept.");
  story.Deliver();
  story.ShowAgreement();
  story.Check("same-millisecond");
}

TEST(Transcripts, ClockAheadByAnHour) {
  Story story("A tab whose clock is an hour ahead does not silence the others");
  story.Open('A');
  story.Open('B');
  story.SetClock('A', 3'600'000);
  story.Write('A', R"([[["theme"],"dark"]])");
  story.Deliver();
  story.Wait(1000);
  story.Say("B has seen A's stamp, so its own is later, whatever its clock says.");
  story.Write('B', R"([[["theme"],"light"]])");
  story.Deliver();
  story.ShowAgreement();
  story.Check("clock-ahead");
}

TEST(Transcripts, ReplacedAboveWhileSetBelow) {
  Story story("One tab replaces an object while another sets a field in it");
  story.Open('A');
  story.Open('B');
  story.Write('A', R"([[["filters"],{"a":1,"b":2}]])");
  story.Deliver();
  story.Wait(100);
  story.Write('A', R"([[["filters"],{"a":9},1]])");
  story.Wait(0);
  story.SetClock('B', 5);
  story.Write('B', R"([[["filters","b"],3]])");
  story.Say("B's field is later than the replacement, so it stays; what is older is gone.");
  story.Deliver();
  story.ShowAgreement();
  story.Check("replaced-above");
}

TEST(Transcripts, LastMessageLost) {
  Story story("The last message is lost, and nothing follows it");
  story.Open('A');
  story.Open('B');
  story.Write('A', R"([[["n"],1]])");
  story.Lose('B');
  story.Say("After a second of quiet A says which write is its newest; B asks for what it lacks.");
  story.Wait(2000);
  story.ShowAgreement();
  story.Check("last-message-lost");
}

TEST(Transcripts, CountedInThreeTabs) {
  Story story("Three tabs count at once, and one sets the counter to zero");
  story.Open('A');
  story.Open('B');
  story.Open('C');
  for (const char tab : {'A', 'B', 'C'}) story.Write(tab, R"([[["n"],2,2]])");
  story.Deliver();
  story.Wait(100);
  story.Say(
      "A has seen all three when it sets zero. What B adds to the old base meanwhile goes with that base.");
  story.Write('A', R"([[["n"],0]])");
  story.Write('B', R"([[["n"],5,2]])");
  story.Deliver();
  story.Write('C', R"([[["n"],1,2]])");
  story.Deliver();
  story.ShowAgreement();
  story.Check("counted-in-three-tabs");
}

TEST(Transcripts, FirstOneHasTheSeat) {
  Story story("Two tabs take one seat; who was first keeps it");
  story.Open('A');
  story.Open('B');
  story.Write('B', R"([[["seat"],"Bea"]])");
  story.Wait(0);
  story.SetClock('A', 20);
  story.Write('A', R"([[["seat"],"Ann"]])");
  story.Deliver();
  story.Say("Ann has seen Bea now, so what she writes takes its place.");
  story.Write('A', R"([[["seat"],"Ann, after Bea"]])");
  story.Deliver();
  story.ShowAgreement();
  story.Check("first-has-the-seat");
}

TEST(Transcripts, AskedWhichTitle) {
  Story story("Two tabs write a title that people are asked about");
  story.Open('A');
  story.Open('B');
  story.Write('A', R"([[["title"],"Draft"]])");
  story.Deliver();
  story.Wait(1000);
  story.Write('A', R"([[["title"],"Plan"]])");
  story.Write('B', R"([[["title"],"Report"]])");
  story.Deliver();
  story.ShowConflicts('A');
  story.ShowConflicts('B');
  story.Say("B chooses. Its write has seen both, so both are gone; nobody else is asked any more.");
  story.Write('B', R"([[["title"],"Plan and report"]])");
  story.Deliver();
  story.ShowConflicts('A');
  story.ShowAgreement();
  story.Check("asked-which-title");
}

TEST(Transcripts, ListMovedRemovedEdited) {
  Story story("One tab sorts a list while others remove and edit its items");
  story.Open('A');
  story.Open('B');
  story.Open('C');
  story.Write('A', R"([[["list"],[{"id":1,"t":"one"},{"id":2,"t":"two"},{"id":3,"t":"three"}]]])");
  story.Deliver();
  story.Wait(100);
  story.Write('A', R"([[["list"],[{"id":3,"t":"three"},{"id":1,"t":"one"},{"id":2,"t":"two"}]]])");
  story.Write('B', R"([[["list"],[{"id":1,"t":"one"},{"id":3,"t":"three"}]]])");
  story.SetClock('C', 10);
  story.Write('C', R"([[["list","2","t"],"two, edited"]])");
  story.Say("The edit is later than the removal, so the item is there, as a whole; the order is A's.");
  story.Deliver();
  story.ShowAgreement();
  story.Check("list-moved-removed-edited");
}

TEST(Transcripts, StoredBeforeAnEarlierOne) {
  Story story("The journal has a write before an earlier one of the same tab");
  story.Open('A');
  const std::string first = story.Write('A', R"([[["a"],1]])");
  const std::string second = story.Write('A', R"([[["b"],2]])");
  const std::string third = story.Write('A', R"([[["c"],3]])");
  story.Suspend('A');
  story.Say("The append of the second has failed and is repeated later. B leads, and sums up what is there.");
  story.Open('B', {first, third});
  story.Lose('A');
  story.Wait(3000);
  const std::string checkpoint = story.Checkpoint('B');
  story.Say("C begins with the checkpoint. It names what was missing, so C takes the second when it comes.");
  story.Open('C', {checkpoint});
  story.Read('C', {second});
  story.Deliver();
  story.Read('B', {second});
  story.Resume('A');
  story.Wait(3000);
  story.ShowAgreement();
  story.Check("stored-before-an-earlier-one");
}

TEST(Transcripts, OutcomeNotKnown) {
  Story story("A page goes away while the database stores its transaction");
  story.Open('A');
  story.Open('B');
  story.Write('A', R"([[["ledger"],1]])");
  story.Deliver();
  Buffer record;
  ASSERT_EQ(story.replica('A')->Propose(R"([[["ledger"],2]])", story.NowOf('A'), &record), Status::kOk);
  story.Say("A proposes ledger = 2 as its write 2, and hears nothing. Other writes go on after that number.");
  story.replica('A')->PassOver();
  story.Write('A', R"([[["note"],"on"]])");
  story.Deliver();
  story.Say("The journal has it: A merges it, and sends what B had asked for.");
  story.replica('A')->Accept(story.NowOf('A'));
  story.Perform('A');
  story.Deliver();
  story.Wait(2000);
  story.ShowAgreement();
  story.Check("outcome-not-known");
}

TEST(Transcripts, EraEndsUnderASleeper) {
  Story story("An era ends while a tab sleeps");
  story.Open('A');
  story.Open('B');
  story.Write('A', R"([[["tasks","1"],"done"]])");
  story.Deliver();
  story.Suspend('B');
  story.Deliver();
  story.Write('A', R"([[["tasks","1"]]])");
  story.Write('A', R"([[["tasks","2"],"open"]])");
  story.Lose('B');
  const auto beginning = story.EndEra('A');
  story.EnterEra('A', beginning);
  story.Say("B knows nothing of it, and speaks as one of the era before; any answer tells it.");
  story.Resume('B');
  story.Write('B', R"([[["x"],1]])");
  story.Deliver();
  story.EnterEra('B', beginning);
  story.Say("Its write was made in an era that has ended: it makes it again.");
  story.Write('B', R"([[["x"],1]])");
  story.Deliver();
  story.ShowAgreement();
  story.Check("era-ends-under-a-sleeper");
}

}  // namespace
}  // namespace tabmesh::transcripts
