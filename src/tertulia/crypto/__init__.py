"""The only door to the cryptographic library.

Cipher suites, and what they are made of: HPKE, KEMs, KDFs, AEADs and signatures. Key
bytes travel in `Secret`; randomness is passed in as `Rng`; whatever does not verify,
open or parse raises a `CryptoError`. Knows nothing of groups, trees or messages.
"""

from tertulia.crypto.aead import AEAD, AES128GCM, AES256GCM, CHACHA20POLY1305
from tertulia.crypto.certificate import (
    CertificateTerms,
    certified_key_hash,
    generate_certificate_key,
    make_certificate,
    public_key_hash,
    read_certificate,
)
from tertulia.crypto.errors import (
    CryptoError,
    DecryptionError,
    InvalidKeyError,
    MacError,
    MessageLimitError,
    NoMlKemError,
    OutputTooLongError,
    SignatureError,
    UnsupportedSuiteError,
    WrongSizeError,
)
from tertulia.crypto.hpke import HPKE, Context
from tertulia.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, KDF
from tertulia.crypto.kem import (
    DHKEM,
    DHKEM_P256,
    DHKEM_P384,
    DHKEM_P521,
    DHKEM_X448,
    DHKEM_X25519,
    KEM,
)
from tertulia.crypto.key_pair import KeyPair
from tertulia.crypto.passphrase import (
    PASSPHRASE_COST,
    PASSPHRASE_SALT_SIZE,
    PassphraseCost,
    passphrase_key,
)
from tertulia.crypto.rng import Rng, system_rng
from tertulia.crypto.secret import Secret
from tertulia.crypto.signature import (
    ECDSA,
    ECDSA_P256,
    ECDSA_P384,
    ECDSA_P521,
    ED448,
    ED25519,
    EdDSA,
    SignatureScheme,
)
from tertulia.crypto.suite import (
    CIPHER_SUITES,
    CLASSICAL_SUITE,
    HYBRID_SUITE,
    CipherSuite,
    cipher_suite,
    lacks_ml_kem,
)
from tertulia.crypto.xwing import XWING, XWing

__all__ = [
    "AEAD",
    "AES128GCM",
    "AES256GCM",
    "CHACHA20POLY1305",
    "CIPHER_SUITES",
    "CLASSICAL_SUITE",
    "DHKEM",
    "DHKEM_P256",
    "DHKEM_P384",
    "DHKEM_P521",
    "DHKEM_X448",
    "DHKEM_X25519",
    "ECDSA",
    "ECDSA_P256",
    "ECDSA_P384",
    "ECDSA_P521",
    "ED448",
    "ED25519",
    "HKDF_SHA256",
    "HKDF_SHA384",
    "HKDF_SHA512",
    "HPKE",
    "HYBRID_SUITE",
    "KDF",
    "KEM",
    "PASSPHRASE_COST",
    "PASSPHRASE_SALT_SIZE",
    "XWING",
    "CertificateTerms",
    "CipherSuite",
    "Context",
    "CryptoError",
    "DecryptionError",
    "EdDSA",
    "InvalidKeyError",
    "KeyPair",
    "MacError",
    "MessageLimitError",
    "NoMlKemError",
    "OutputTooLongError",
    "PassphraseCost",
    "Rng",
    "Secret",
    "SignatureError",
    "SignatureScheme",
    "UnsupportedSuiteError",
    "WrongSizeError",
    "XWing",
    "certified_key_hash",
    "cipher_suite",
    "generate_certificate_key",
    "lacks_ml_kem",
    "make_certificate",
    "passphrase_key",
    "public_key_hash",
    "read_certificate",
    "system_rng",
]
