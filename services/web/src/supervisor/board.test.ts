import { beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeServer, settle } from "../protocol/fake-server";
import type { ConversationState, Participant } from "../protocol/messages";
import {
  ada,
  alex,
  answer,
  connected,
  eventsOf,
  fakePage,
  fakeSession,
  leavePage,
  sam,
} from "../staff/fake-page";
import { Board } from "./board";

const HELD: ConversationState = {
  conversationId: "c1",
  phase: "PHASE_ASSIGNED",
  queue: "general",
  visitor: ada,
  agent: alex,
};

let server: FakeServer;

async function open(you: Participant = sam): Promise<Board> {
  const board = new Board(fakeSession(), () => {});
  await connected(server, you);
  return board;
}

/** A board, and what it watches. */
async function watch() {
  const board = await open();
  board.lookAt(HELD);
  await settle();
  await answer(server, "subscribe", { conversation: HELD });
  const { selected } = board;
  if (!selected) throw new Error("nothing is watched");
  return { board, selected };
}

beforeEach(() => {
  server = fakePage();
  return leavePage;
});

describe("the board", () => {
  it("is asked for until the server has it", async () => {
    await open();
    await answer(server, "watchBoard", {
      error: { code: "ERROR_CODE_UNAVAILABLE", retryable: true },
    });
    await vi.advanceTimersByTimeAsync(1_000);
    await answer(server, "watchBoard", {});
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.last.has("watchBoard")).toBe(false);
  });

  it("is asked for on each connection and shows what was pushed last", async () => {
    const board = await open();
    expect(server.last.take("watchBoard").watchBoard).toEqual({ on: true });
    server.last.push({ board: { conversations: [HELD] } }, { board: { conversations: [] } });
    expect(board.latest).toEqual({ conversations: [] });
    expect(board.refusal).toBeUndefined();

    server.last.hangUp(4000);
    await vi.advanceTimersByTimeAsync(2_000);
    await connected(server, sam);
    expect(server.last.has("watchBoard")).toBe(true);
  });

  it("is not for agents", async () => {
    const board = await open(alex);
    expect(board.refusal).toBe("role");
    expect(server.last.has("watchBoard")).toBe(false);
  });

  it("says so when the server is too old for it", async () => {
    const board = await open();
    await answer(server, "watchBoard", { error: { code: "ERROR_CODE_UNIMPLEMENTED" } });
    expect(board.refusal).toBe("server");
    expect(board.notice).toBeUndefined();
  });
});

describe("watching", () => {
  it("shows one conversation live, and leaves it for the next", async () => {
    const { board } = await watch();
    server.last.push(...eventsOf("c1", [{ message: { text: "Hello" }, by: ada }]));
    expect(board.selected).toMatchObject({ id: "c1", part: "reader", writes: "whisper" });

    board.lookAt({ ...HELD, conversationId: "c2" });
    await settle();
    expect(server.last.take("unsubscribe").unsubscribe.conversationId).toBe("c1");
    expect(board.selectedId).toBe("c2");
  });

  it("never tells that anything was read", async () => {
    const { board } = await watch();
    server.last.push(...eventsOf("c1", [{ message: { text: "Hello" }, by: ada }]));
    await settle();
    expect(board.selected?.events).toHaveLength(1);
    expect(server.last.has("markRead")).toBe(false);
  });

  it("whispers under one id until it is answered", async () => {
    const { board, selected } = await watch();
    board.typed(selected, "Offer a refund");
    board.send(selected);
    await settle();
    const frame = server.last.take("whisper");
    expect(frame.whisper).toMatchObject({ conversationId: "c1", text: "Offer a refund" });
    expect(server.last.has("typing")).toBe(false);
    const { clientMsgId } = frame.whisper;
    server.last.reply(frame, { sent: { clientMsgId, seq: 1 } });
    server.last.push(
      ...eventsOf("c1", [{ whisper: { clientMsgId, text: "Offer a refund" }, by: sam }]),
    );
    expect(board.entries(selected)).toEqual([]);
  });

  it("goes from guest back to watching, and to holder by taking over", async () => {
    const { board, selected } = await watch();
    void board.join("c1");
    await settle();
    await answer(server, "join", { conversation: { ...HELD, guests: [sam] } });
    expect(selected).toMatchObject({ part: "guest", writes: "reply" });
    void board.leave(selected);
    await settle();
    await answer(server, "leave", { done: {} });
    server.last.push(...eventsOf("c1", [{ left: { agent: sam } }]));
    expect(selected.part).toBe("reader");
    void board.takeOver(selected);
    await settle();
    await answer(server, "takeOver", { conversation: { ...HELD, agent: sam } });
    expect(selected).toMatchObject({ part: "holder", writes: "reply" });
  });

  it("says why a take-over failed", async () => {
    const board = await open();
    board.lookAt(HELD);
    const { selected } = board;
    if (!selected) throw new Error("nothing is watched");
    void board.takeOver(selected);
    await settle();
    await answer(server, "takeOver", { error: { code: "ERROR_CODE_FAILED_PRECONDITION" } });
    expect(board.notice).toMatch(/online with a free slot/);
    expect(selected.part).toBe("reader");
  });

  it("stays with a conversation that one takes part in when looking away", async () => {
    const board = await open();
    board.lookAt({ ...HELD, agent: sam });
    board.lookAway();
    await settle();
    expect(server.last.has("unsubscribe")).toBe(false);
    expect(board.selected).toBeUndefined();
  });
});
