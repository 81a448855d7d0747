"""Encrypted parts that are changed, weak, or for another."""

from dataclasses import replace

from gateway.security.algorithms import AES128_GCM, TRIPLE_DES
from tests.flow import bad_input as bad
from tests.vectors import ciphers
from tests.vectors.kinds import SECURITY_OF_CIPHER, SECURITY_OF_PART, vector
from tests.vectors.markup import INTERNAL
from tests.vectors.topics import Topic

ENCRYPTION = (
    vector(
        "cipher_text_changed",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=bad.cipher_changed,
    ),
    vector(
        "encrypted_for_another",
        Topic.RECIPIENT,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=bad.for_another,
        says="encrypted for the key of another party",
    ),
    vector(
        "rsa15_key_transport",
        Topic.DOWNGRADE,
        "decryption.algorithm",
        SECURITY_OF_CIPHER,
        encrypt=bad.rsa15,
        says="RSA-1.5",
    ),
    vector(
        "cbc_cipher",
        Topic.DOWNGRADE,
        "decryption.algorithm",
        SECURITY_OF_CIPHER,
        encrypt=bad.cbc,
        says="AES-CBC",
    ),
    vector(
        "plain_payload",
        Topic.DOWNGRADE,
        "decryption.not_encrypted",
        SECURITY_OF_CIPHER,
        encrypt=bad.not_encrypted,
        says="the payload is not encrypted, though that was agreed",
    ),
    vector(
        "encrypted_where_not_agreed",
        Topic.AGREED,
        "decryption.unexpected",
        SECURITY_OF_CIPHER,
        profile="osb-rm-s",
        parts=bad.encrypted_unasked,
        says="encrypted, though that was not agreed",
    ),
    vector(
        "dtd_in_encrypted_data",
        Topic.DTD,
        "decryption.not_encrypted",
        SECURITY_OF_CIPHER,
        parts=lambda p: (
            replace(p[0], octets=p[0].octets.replace(b"?>\n", b"?>" + INTERNAL.encode())),
        ),
    ),
    vector(
        "tag_of_12_octets",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, lambda o: o[:-4]),
    ),
    vector(
        "tag_cut_off",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, lambda o: o[:-16]),
    ),
    vector(
        "tag_changed",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, ciphers.flipped),
    ),
    vector(
        "nonce_changed",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, lambda o: bytes([o[0] ^ 1]) + o[1:]),
    ),
    vector(
        "nonce_and_tag_alone",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, lambda o: o[:12] + o[-16:]),
        says="the cipher text between nonce and tag is cut out",
    ),
    vector(
        "nonce_alone",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, lambda o: o[:12]),
    ),
    vector(
        "cipher_text_empty",
        Topic.TAG,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.VALUE, lambda _o: b""),
    ),
    vector(
        "wrapped_key_changed",
        Topic.RECIPIENT,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.WRAPPED, ciphers.flipped),
    ),
    vector(
        "wrapped_key_cut",
        Topic.RECIPIENT,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.value(ciphers.WRAPPED, lambda o: o[:-1]),
    ),
    vector(
        "key_of_other_length",
        Topic.DOWNGRADE,
        "decryption.failed",
        SECURITY_OF_CIPHER,
        says="AES-128 is named, the key is one of 256 bits",
        encrypt=ciphers.algorithm("/*/xenc:EncryptionMethod", AES128_GCM),
    ),
    vector(
        "triple_des",
        Topic.DOWNGRADE,
        "decryption.algorithm",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.algorithm("/*/xenc:EncryptionMethod", TRIPLE_DES),
        says="3DES",
    ),
    vector(
        "oaep_with_md5",
        Topic.DOWNGRADE,
        "decryption.algorithm",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.algorithm(
            f"{ciphers.KEY}//ds:DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"
        ),
    ),
    vector(
        "key_wrapped_by_a_secret",
        Topic.DOWNGRADE,
        "decryption.algorithm",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.algorithm(f"{ciphers.KEY}/xenc:EncryptionMethod", f"{bad.XENC}kw-aes256"),
    ),
    vector(
        "two_encrypted_keys",
        Topic.ENCRYPTION_FORM,
        "decryption.form",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.reshaped(ciphers.key_twice),
    ),
    vector(
        "encrypted_key_elsewhere",
        Topic.ENCRYPTION_FORM,
        "decryption.form",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.reshaped(ciphers.key_outside),
        says="EncryptedKey beside KeyInfo, which points to it",
    ),
    vector(
        "cipher_text_to_be_fetched",
        Topic.ENCRYPTION_FORM,
        "decryption.form",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.reshaped(ciphers.cipher_elsewhere),
        says="a CipherReference",
    ),
    vector(
        "cipher_text_twice",
        Topic.ENCRYPTION_FORM,
        "decryption.form",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.reshaped(ciphers.value_twice),
    ),
    vector(
        "encrypted_data_in_wrapper",
        Topic.ENCRYPTION_FORM,
        "decryption.not_encrypted",
        SECURITY_OF_CIPHER,
        encrypt=ciphers.in_a_wrapper,
        says="EncryptedData within another element",
    ),
    vector(
        "encrypted_twice",
        Topic.ENCRYPTION_FORM,
        "signature.digest",
        SECURITY_OF_PART,
        encrypt=ciphers.twice_encrypted,
        says="what is encrypted is an EncryptedData",
    ),
)
