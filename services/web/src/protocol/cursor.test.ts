import { describe, expect, it } from "vitest";
import { ConversationCursor } from "./cursor";
import type { EventPush } from "./messages";

const push = (seq: number, prev: number): EventPush => ({
  event: { conversationId: "c", seq, at: "2026-01-01T00:00:00Z" },
  ...(prev > 0 && { prev }),
});

describe("ConversationCursor", () => {
  it("takes the next event, dropping what it has seen", () => {
    const cursor = new ConversationCursor(0, false);
    expect(cursor.take(push(1, 0))).toBe("apply");
    expect(cursor.take(push(1, 0))).toBe("duplicate");
    expect(cursor.take(push(2, 1))).toBe("apply");
    expect(cursor.take(push(1, 0))).toBe("duplicate");
    expect(cursor.seq).toBe(2);
    expect(cursor.known).toBe(true);
  });

  it("sees a gap and stays where it is", () => {
    const cursor = new ConversationCursor(3, true);
    expect(cursor.take(push(6, 5))).toBe("gap");
    expect(cursor.seq).toBe(3);
  });

  it("is not troubled by events that this reader may not see", () => {
    const cursor = new ConversationCursor(3, true);
    expect(cursor.take(push(7, 3))).toBe("apply");
    // A cursor may stand on an event that only the staff sees.
    const onNote = new ConversationCursor(8, true);
    expect(onNote.take(push(9, 7))).toBe("apply");
  });

  it("knows when it is behind the head", () => {
    const cursor = new ConversationCursor(3, true);
    cursor.headSeq = 5;
    expect(cursor.behind).toBe(true);
    cursor.take(push(5, 3));
    expect(cursor.behind).toBe(false);
  });
});
