// What one member of one group can do, each operation on plain JSON values.
//
// A member is a record: its signature key, its key packages, its PSKs, the state of its
// group and, between making a commit and applying it, the state that commit leads to.
// ts-mls itself is pure (states in, states out); the records are the only mutable thing.
//
// Two things are made up here because ts-mls leaves them to its caller: signing the leaf
// of an Update proposal, and putting the leaf's new private key into the state when
// somebody commits that proposal.

import {
  branchGroup,
  createApplicationMessage,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPub,
  createGroupInfoWithExternalPubAndRatchetTree,
  createProposal,
  decodeGroupState,
  decodeMlsMessage,
  defaultExtensionTypes,
  encodeGroupState,
  encodeMlsMessage,
  generateKeyPackageWithKey,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  joinGroupExternal,
  joinGroupFromBranch,
  joinGroupFromReinit,
  makePskIndex,
  mlsExporter,
  processPrivateMessage,
  processPublicMessage,
  proposeAddExternal,
  reinitCreateNewGroup,
} from "ts-mls"
import { defaultClientConfig } from "ts-mls/clientConfig.js"
import { createGroupInfo, createGroupInfoWithRatchetTree } from "ts-mls/createCommit.js"
import { ratchetTreeFromExtension } from "ts-mls/groupInfo.js"
import { makeKeyPackageRef } from "ts-mls/keyPackage.js"
import { signLeafNodeCommit } from "ts-mls/leafNode.js"
import { MlsError } from "ts-mls/mlsError.js"
import { updateLeafKey } from "ts-mls/privateKeyPath.js"
import { decodeRatchetTree, encodeRatchetTree } from "ts-mls/ratchetTree.js"

const SUITE = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"
const LIFETIME_SECONDS = 90n * 24n * 3600n
const CLOCK_SLACK_SECONDS = 3600n
// ts-mls would list GREASE values at random; a test wants the same bytes every time.
const GREASE = 0x5a5a

const suite = await getCiphersuiteImpl(getCiphersuiteFromName(SUITE))

class Fault extends Error {
  constructor(fault, kind, reason) {
    super(reason)
    this.fault = fault
    this.kind = kind
  }
}

const refused = (kind, reason) => new Fault("refused", kind, reason)
export const badRequest = (reason) => new Fault("request", "BadRequest", reason)

export const faultOf = (error) => {
  if (error instanceof Fault)
    return { fault: error.fault, kind: error.kind, reason: error.message }
  const said = error instanceof MlsError || error instanceof DOMException
  return { fault: said ? "refused" : "crashed", kind: error.name, reason: error.message }
}

// Values ----------------------------------------------------------------------------

const fromHex = (hex) => new Uint8Array(Buffer.from(hex, "hex"))
const toHex = (bytes) => Buffer.from(bytes).toString("hex")
const toBase64 = (bytes) => Buffer.from(bytes).toString("base64")
const sameBytes = (one, other) => toHex(one) === toHex(other)

const whole = (decoded, what) => {
  if (decoded === undefined) throw refused("Undecodable", `this is no ${what}`)
  return decoded[0]
}

const decodeMessage = (hex, ...wireformats) => {
  const message = whole(decodeMlsMessage(fromHex(hex), 0), "MLSMessage")
  if (!wireformats.includes(message.wireformat))
    throw refused("WrongWireFormat", `got ${message.wireformat}`)
  return message
}

const encodeMessage = (content) => toHex(encodeMlsMessage({ version: "mls10", ...content }))

const decodeKeyPackage = (hex) => decodeMessage(hex, "mls_key_package").keyPackage

const decodeTree = (hex) =>
  hex === null ? undefined : whole(decodeRatchetTree(fromHex(hex), 0), "ratchet tree")

const extensionNames = Object.fromEntries(
  Object.entries(defaultExtensionTypes).map(([name, number]) => [number, name]),
)

const toExtensions = (extensions) =>
  extensions.map(({ extension_type, extension_data }) => ({
    extensionType: extensionNames[extension_type] ?? extension_type,
    extensionData: fromHex(extension_data),
  }))

const proposalMakers = {
  add: (_member, { key_package }) => ({
    proposalType: "add",
    add: { keyPackage: decodeKeyPackage(key_package) },
  }),
  remove: (_member, { leaf_index }) => ({
    proposalType: "remove",
    remove: { removed: leaf_index },
  }),
  external_psk: (_member, { psk_id }) => ({
    proposalType: "psk",
    psk: {
      preSharedKeyId: {
        psktype: "external",
        pskId: fromHex(psk_id),
        pskNonce: suite.rng.randomBytes(suite.kdf.size),
      },
    },
  }),
  resumption_psk: (member, { epoch }) => ({
    proposalType: "psk",
    psk: {
      preSharedKeyId: {
        psktype: "resumption",
        usage: "application",
        pskGroupId: stateOf(member).groupContext.groupId,
        pskEpoch: BigInt(epoch),
        pskNonce: suite.rng.randomBytes(suite.kdf.size),
      },
    },
  }),
  group_context_extensions: (_member, { extensions }) => ({
    proposalType: "group_context_extensions",
    groupContextExtensions: { extensions: toExtensions(extensions) },
  }),
  reinit: (_member, { group_id, extensions }) => ({
    proposalType: "reinit",
    reinit: {
      groupId: fromHex(group_id),
      version: "mls10",
      cipherSuite: SUITE,
      extensions: toExtensions(extensions),
    },
  }),
  update: (member) => makeUpdate(member),
}

const toProposal = async (member, { type, ...fields }) => {
  const make = proposalMakers[type]
  if (make === undefined) throw badRequest(`no proposal type ${type}`)
  return make(member, fields)
}

// Members ---------------------------------------------------------------------------

const find = (members, name) => {
  const member = members.get(name)
  if (member === undefined) throw badRequest(`no member ${name}`)
  return member
}

const stateOf = (member) => {
  if (member.state === undefined) throw refused("NoGroup", "not in a group")
  return member.state
}

const pskIndexOf = (member) => makePskIndex(member.state, member.psks)

const capabilitiesOf = (member) => ({
  versions: ["mls10"],
  ciphersuites: [SUITE, String(GREASE)],
  extensions: [...member.extensionTypes, GREASE],
  proposals: [GREASE],
  credentials: ["basic", String(GREASE)],
})

const newKeyPackage = async (member) => {
  const now = BigInt(Math.floor(Date.now() / 1000))
  return generateKeyPackageWithKey(
    { credentialType: "basic", identity: member.identity },
    capabilitiesOf(member),
    { notBefore: now - CLOCK_SLACK_SECONDS, notAfter: now + LIFETIME_SECONDS },
    [],
    member.signer,
    suite,
  )
}

const keyPackageFor = async (member, welcome) => {
  for (const keyPackage of member.keyPackages) {
    const reference = await makeKeyPackageRef(keyPackage.publicPackage, suite.hash)
    if (welcome.secrets.some((secret) => sameBytes(secret.newMember, reference)))
      return keyPackage
  }
  throw refused("NotForMe", "the Welcome names none of this member's key packages")
}

// Where there is no former leaf, ts-mls would look for it without end.
const requireFormerLeaf = (member, tree = []) => {
  const isFormer = (node) =>
    node?.nodeType === "leaf" &&
    sameBytes(node.leaf.signaturePublicKey, member.signer.publicKey)
  if (!tree.some(isFormer)) throw refused("NoFormerLeaf", "the tree holds no leaf of ours")
}

const ownLeafNodeIndex = (state) => 2 * state.privatePath.leafIndex

const makeUpdate = async (member) => {
  const state = stateOf(member)
  const keys = await suite.hpke.generateKeyPair()
  const hpkePublicKey = await suite.hpke.exportPublicKey(keys.publicKey)
  const { leaf } = state.ratchetTree[ownLeafNodeIndex(state)]
  const leafNode = await signLeafNodeCommit(
    {
      leafNodeSource: "update",
      hpkePublicKey,
      signaturePublicKey: leaf.signaturePublicKey,
      credential: leaf.credential,
      capabilities: leaf.capabilities,
      extensions: leaf.extensions,
      groupId: state.groupContext.groupId,
      leafIndex: state.privatePath.leafIndex,
    },
    state.signaturePrivateKey,
    suite.signature,
  )
  const privateKey = await suite.hpke.exportPrivateKey(keys.privateKey)
  member.updates.set(toHex(hpkePublicKey), privateKey)
  return { proposalType: "update", update: { leafNode } }
}

const take = (member, state, message, callback) => {
  const psks = pskIndexOf(member)
  return message.wireformat === "mls_public_message"
    ? processPublicMessage(state, message.publicMessage, psks, suite, callback)
    : processPrivateMessage(state, message.privateMessage, psks, suite, callback)
}

// A first look, which changes nothing, tells whether the commit holds our own Update.
const withCommittedUpdate = async (member, state, message) => {
  if (member.updates.size === 0) return state
  let updated = state
  await take(member, state, message, (incoming) => {
    const proposals = incoming.kind === "commit" ? incoming.proposals : []
    for (const { proposal } of proposals) {
      if (proposal.proposalType !== "update") continue
      const key = member.updates.get(toHex(proposal.update.leafNode.hpkePublicKey))
      if (key !== undefined)
        updated = { ...state, privatePath: updateLeafKey(state.privatePath, key) }
    }
    return "reject"
  })
  return updated
}

const enter = (member, state) => {
  member.state = state
  member.pending = undefined
  member.updates.clear()
}

const eventOf = (before, after) => {
  if (after.groupActiveState.kind === "removedFromGroup") return "member_removed"
  if (after.groupActiveState.kind === "suspendedPendingReinit")
    return "group_reinitialised"
  return after.groupContext.epoch === before.groupContext.epoch
    ? "proposal_cached"
    : "epoch_entered"
}

const branchFrom = (member, keyPackage, others, groupId) =>
  branchGroup(
    stateOf(member),
    keyPackage.publicPackage,
    keyPackage.privatePackage,
    others,
    groupId,
    suite,
  )

const reinitFrom = (member, keyPackage, others, groupId) => {
  const state = stateOf(member)
  if (state.groupActiveState.kind !== "suspendedPendingReinit")
    throw refused("NotReInitialised", "no ReInit proposal was committed")
  return reinitCreateNewGroup(
    state,
    keyPackage.publicPackage,
    keyPackage.privatePackage,
    others,
    groupId,
    SUITE,
    state.groupActiveState.reinit.extensions,
  )
}

const publicFraming = (framing) => framing === "public"

// Operations ------------------------------------------------------------------------

const lifecycle = {
  new_member: async (members, name, { identity, extension_types, tree_in_welcome }) => {
    members.set(name, {
      identity: fromHex(identity),
      extensionTypes: extension_types,
      treeInWelcome: tree_in_welcome,
      signer: await suite.signature.keygen(),
      keyPackages: [],
      psks: {},
      state: undefined,
      pending: undefined,
      updates: new Map(),
    })
  },
  close: (members, name) => void members.delete(name),
}

const onMembers = {
  key_package: async (member) => {
    const keyPackage = await newKeyPackage(member)
    member.keyPackages.push(keyPackage)
    return encodeMessage({
      wireformat: "mls_key_package",
      keyPackage: keyPackage.publicPackage,
    })
  },

  add_external_psk: (member, { psk_id, psk }) => {
    member.psks[toBase64(fromHex(psk_id))] = fromHex(psk)
  },

  create_group: async (member, { group_id, extensions }) => {
    const { publicPackage, privatePackage } = await newKeyPackage(member)
    enter(
      member,
      await createGroup(
        fromHex(group_id),
        publicPackage,
        privatePackage,
        toExtensions(extensions),
        suite,
      ),
    )
  },

  join: async (member, { welcome: encoded, ratchet_tree }) => {
    const { welcome } = decodeMessage(encoded, "mls_welcome")
    const { publicPackage, privatePackage } = await keyPackageFor(member, welcome)
    enter(
      member,
      await joinGroup(
        welcome,
        publicPackage,
        privatePackage,
        makePskIndex(undefined, member.psks),
        suite,
        decodeTree(ratchet_tree),
      ),
    )
  },

  external_join: async (
    member,
    { group_info, ratchet_tree, resync, authenticated_data },
  ) => {
    const { groupInfo } = decodeMessage(group_info, "mls_group_info")
    const tree = decodeTree(ratchet_tree)
    if (resync) requireFormerLeaf(member, ratchetTreeFromExtension(groupInfo) ?? tree)
    const { publicPackage, privatePackage } = await newKeyPackage(member)
    const { publicMessage, newState } = await joinGroupExternal(
      groupInfo,
      publicPackage,
      privatePackage,
      resync,
      suite,
      tree,
      defaultClientConfig,
      fromHex(authenticated_data),
    )
    member.pending = newState
    return encodeMessage({ wireformat: "mls_public_message", publicMessage })
  },

  propose_own_add: async (member, { group_info }) => {
    const { groupInfo } = decodeMessage(group_info, "mls_group_info")
    const keyPackage = await newKeyPackage(member)
    member.keyPackages.push(keyPackage)
    const message = await proposeAddExternal(
      groupInfo,
      keyPackage.publicPackage,
      keyPackage.privatePackage,
      suite,
    )
    return encodeMessage(message)
  },

  commit: async (member, { proposals, framing, authenticated_data }) => {
    const extraProposals = []
    for (const proposal of proposals)
      extraProposals.push(await toProposal(member, proposal))
    const { commit, welcome, newState } = await createCommit(
      { state: stateOf(member), pskIndex: pskIndexOf(member), cipherSuite: suite },
      {
        wireAsPublicMessage: publicFraming(framing),
        extraProposals,
        ratchetTreeExtension: member.treeInWelcome,
        authenticatedData: fromHex(authenticated_data),
      },
    )
    member.pending = newState
    return {
      commit: encodeMessage(commit),
      welcome: welcome ? encodeMessage({ wireformat: "mls_welcome", welcome }) : null,
      ratchet_tree: member.treeInWelcome
        ? null
        : toHex(encodeRatchetTree(newState.ratchetTree)),
    }
  },

  apply_pending_commit: (member) => {
    if (member.pending === undefined) throw refused("NoPendingCommit", "nothing to apply")
    enter(member, member.pending)
  },

  clear_pending_commit: (member) => {
    member.pending = undefined
  },

  propose: async (member, { proposal, framing, authenticated_data }) => {
    const { newState, message } = await createProposal(
      stateOf(member),
      publicFraming(framing),
      await toProposal(member, proposal),
      suite,
      fromHex(authenticated_data),
    )
    member.state = newState
    return encodeMessage(message)
  },

  send: async (member, { plaintext, authenticated_data }) => {
    const { newState, privateMessage } = await createApplicationMessage(
      stateOf(member),
      fromHex(plaintext),
      suite,
      fromHex(authenticated_data),
    )
    member.state = newState
    return encodeMessage({ wireformat: "mls_private_message", privateMessage })
  },

  process: async (member, { message: encoded }) => {
    const before = stateOf(member)
    const message = decodeMessage(encoded, "mls_public_message", "mls_private_message")
    const prepared = await withCommittedUpdate(member, before, message)
    const { kind, message: plaintext, newState } = await take(member, prepared, message)
    if (kind === "applicationMessage") {
      member.state = newState
      const { authenticatedData } = message.privateMessage
      return {
        event: "application_message",
        plaintext: toHex(plaintext),
        authenticated_data: toHex(authenticatedData),
      }
    }
    const event = eventOf(before, newState)
    if (event === "proposal_cached") member.state = newState
    else enter(member, newState)
    return { event }
  },

  exporter: async (member, { label, context, length }) =>
    toHex(
      await mlsExporter(
        stateOf(member).keySchedule.exporterSecret,
        label,
        fromHex(context),
        length,
        suite,
      ),
    ),

  epoch: (member) => Number(stateOf(member).groupContext.epoch),

  epoch_authenticator: (member) => toHex(stateOf(member).keySchedule.epochAuthenticator),

  members: (member) =>
    stateOf(member).ratchetTree.flatMap((node, index) =>
      node?.nodeType === "leaf"
        ? [{ leaf_index: index / 2, identity: toHex(node.leaf.credential.identity) }]
        : [],
    ),

  ratchet_tree: (member) => toHex(encodeRatchetTree(stateOf(member).ratchetTree)),

  group_info: async (member, { external_pub, ratchet_tree }) => {
    const state = stateOf(member)
    const { groupContext, confirmationTag, ratchetTree } = state
    const makers = {
      neither: () => createGroupInfo(groupContext, confirmationTag, state, [], suite),
      tree: () =>
        createGroupInfoWithRatchetTree(
          groupContext,
          confirmationTag,
          state,
          ratchetTree,
          [],
          suite,
        ),
      key: () => createGroupInfoWithExternalPub(state, [], suite),
      both: () => createGroupInfoWithExternalPubAndRatchetTree(state, [], suite),
    }
    const withTree = ratchet_tree ? "tree" : "neither"
    const withKey = ratchet_tree ? "both" : "key"
    const groupInfo = await makers[external_pub ? withKey : withTree]()
    return encodeMessage({ wireformat: "mls_group_info", groupInfo })
  },

  reload: (member) => {
    const { clientConfig, ...state } = stateOf(member)
    const read = whole(decodeGroupState(encodeGroupState(state), 0), "group state")
    member.state = { ...read, clientConfig }
  },
}

const successor = (member, state) => ({
  ...member,
  keyPackages: [],
  state,
  pending: undefined,
  updates: new Map(),
})

const resuming = {
  resume: async (members, name, { successor: newName, usage, group_id, key_packages }) => {
    const member = find(members, name)
    const from = usage === "branch" ? branchFrom : reinitFrom
    const { newState, welcome } = await from(
      member,
      await newKeyPackage(member),
      key_packages.map(decodeKeyPackage),
      fromHex(group_id),
    )
    members.set(newName, successor(member, newState))
    return {
      welcome: encodeMessage({ wireformat: "mls_welcome", welcome }),
      ratchet_tree: toHex(encodeRatchetTree(newState.ratchetTree)),
    }
  },

  join_resumed: async (
    members,
    name,
    { successor: newName, usage, welcome: encoded, ratchet_tree },
  ) => {
    const member = find(members, name)
    const { welcome } = decodeMessage(encoded, "mls_welcome")
    const { publicPackage, privatePackage } = await keyPackageFor(member, welcome)
    const tree = decodeTree(ratchet_tree)
    const old = stateOf(member)
    const state =
      usage === "branch"
        ? await joinGroupFromBranch(old, welcome, publicPackage, privatePackage, tree, suite)
        : await joinGroupFromReinit(old, welcome, publicPackage, privatePackage, tree)
    members.set(newName, successor(member, state))
  },
}

const onMember =
  (run) =>
  async (members, name, parameters) =>
    run(find(members, name), parameters)

export const operations = {
  ...lifecycle,
  ...resuming,
  ...Object.fromEntries(
    Object.entries(onMembers).map(([name, run]) => [name, onMember(run)]),
  ),
}
