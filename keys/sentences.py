"""What each step of a check says to people, in Indonesian and in English."""

# step → language → (valid, invalid, not enough evidence); empty where it cannot come out so
SENTENCES: dict[str, dict[str, tuple[str, str, str]]] = {
    "format": {
        "id": ("Berkas dapat dibaca.", "Berkas rusak atau bukan berkas Titian.", ""),
        "en": ("The file can be read.", "The file is damaged or not one of Titian's.", ""),
    },
    "kind": {
        "id": ("", "Pernyataan ini bukan jenis yang dapat diperiksa.", ""),
        "en": ("", "The statement is not of a kind that can be checked.", ""),
    },
    "envelope": {
        "id": ("Pernyataan yang ditandatangani lengkap.", "Pernyataan rusak atau kurang.", ""),
        "en": ("The signed statement is complete.", "The statement is damaged or lacking.", ""),
    },
    "line": {
        "id": (
            "Baris ini bagian dari kiriman yang ditandatangani.",
            "Baris ini telah diubah atau bukan bagian dari kiriman itu.",
            "",
        ),
        "en": (
            "The line is part of the signed batch.",
            "The line was altered or is not part of that batch.",
            "",
        ),
    },
    "lines": {
        "id": (
            "Seluruh baris sama dengan yang ditandatangani.",
            "Isi kiriman tidak sama dengan yang ditandatangani.",
            "",
        ),
        "en": (
            "All lines are those that were signed.",
            "The content is not what was signed.",
            "",
        ),
    },
    "aud": {
        "id": (
            "Ditujukan kepada gerbang ini.",
            "Ditujukan kepada gerbang lain.",
            "Nama gerbang tidak diketahui; sertakan berkas kebijakan (--policy).",
        ),
        "en": (
            "It is meant for this gateway.",
            "It is meant for another gateway.",
            "The gateway's name is not known; give a policy file (--policy).",
        ),
    },
    "signature": {
        "id": (
            "Kiriman ditandatangani dengan kunci instansi.",
            "Tanda tangan kiriman tidak cocok dengan kunci instansi.",
            "Kunci instansi pada saat itu tidak diketahui.",
        ),
        "en": (
            "The batch is signed by a key of the agency.",
            "The batch's signature does not fit the agency's keys.",
            "The agency's keys at that time are not known.",
        ),
    },
    "keyset": {
        "id": (
            "Daftar kunci instansi ditandatangani oleh yang berhak.",
            "Daftar kunci instansi rusak, terputus, atau diubah oleh yang tidak berhak.",
            "Daftar kunci instansi, atau kunci pusat yang menandatanganinya, tidak diketahui.",
        ),
        "en": (
            "The agency's keyset is signed by those who may change it.",
            "The agency's keyset is damaged, out of order, or changed by those who may not.",
            "The agency's keyset, or the centre's key that signed it, is not known.",
        ),
    },
    "keyset_known": {
        "id": (
            "Kunci-kuncinya dikenal oleh berkas kebijakan.",
            "",
            "Tidak ada bukti bahwa kunci ini milik instansi tersebut.",
        ),
        "en": (
            "Its keys are known by the policy file.",
            "",
            "Nothing shows that these keys belong to the agency.",
        ),
    },
    "keyset_log": {
        "id": (
            "Daftar kunci tercatat dalam log.",
            "Daftar kunci tidak terbukti tercatat dalam log.",
            "",
        ),
        "en": ("The keyset is in the log.", "The keyset is not proved to be in the log.", ""),
    },
    "order": {
        "id": ("", "Kiriman diterima sebelum kunci instansi tercatat dalam log.", ""),
        "en": ("", "The batch was accepted before the log knew the agency's keys.", ""),
    },
    "accept": {
        "id": (
            "Catatan penerimaan menyebut kiriman ini.",
            "Catatan penerimaan menyebut kiriman lain.",
            "Catatan penerimaan tidak disertakan.",
        ),
        "en": (
            "The accept entry names this batch.",
            "The accept entry names another batch.",
            "No accept entry comes with the file.",
        ),
    },
    "accept_log": {
        "id": (
            "Penerimaan tercatat dalam log.",
            "Penerimaan tidak terbukti tercatat dalam log.",
            "",
        ),
        "en": ("The acceptance is in the log.", "The acceptance is not proved to be logged.", ""),
    },
    "checkpoint": {
        "id": (
            "Tonggak log ditandatangani kunci log.",
            "Tonggak log tidak ditandatangani kunci log.",
            "Kunci log tidak diketahui; sertakan berkas kebijakan (--policy).",
        ),
        "en": (
            "The checkpoint is signed by the log's key.",
            "The checkpoint is not signed by the log's key.",
            "The log's key is not known; give a policy file (--policy).",
        ),
    },
    "receipt": {
        "id": (
            "Tanda terima ditandatangani gerbang.",
            "Tanda terima tidak ditandatangani gerbang.",
            "Kunci tanda terima tidak diketahui; sertakan berkas kebijakan (--policy).",
        ),
        "en": (
            "The receipt is signed by the gateway.",
            "The receipt is not signed by the gateway.",
            "The receipt key is not known; give a policy file (--policy).",
        ),
    },
    "lost": {
        "id": ("", "Kunci dinyatakan bocor sejak sebelum kiriman diterima.", ""),
        "en": ("", "The key was declared lost from before the batch was accepted.", ""),
    },
    "fork": {
        "id": ("", "Log bercabang: dua tonggak berukuran sama dengan isi berbeda.", ""),
        "en": ("", "The log is forked: two checkpoints of one size with different roots.", ""),
    },
    "sizes": {
        "id": (
            "",
            "",
            "Tonggak berbeda ukuran: tanpa log di antaranya tak terbukti sambung atau bercabang.",
        ),
        "en": (
            "",
            "",
            "Checkpoints of two sizes: without the log between, neither fork nor order is proved.",
        ),
    },
    "leaves": {
        "id": (
            "Sidik semua baris sama dengan yang ditandatangani.",
            "Sidik baris tidak sama dengan yang ditandatangani.",
            "",
        ),
        "en": (
            "The hashes of all lines are those that were signed.",
            "The hashes of the lines are not those that were signed.",
            "",
        ),
    },
    "witnesses": {
        "id": (
            "Cukup banyak saksi telah melihat tonggak log ini.",
            "Tanda seorang saksi di bawah tonggak log tidak sah.",
            "Belum cukup saksi yang melihat tonggak log ini.",
        ),
        "en": (
            "Enough witnesses have seen this checkpoint.",
            "A witness's line under the checkpoint does not hold.",
            "Not enough witnesses have seen this checkpoint.",
        ),
    },
    "entry_log": {
        "id": ("Catatan ini ada dalam log.", "Catatan ini tidak terbukti ada dalam log.", ""),
        "en": ("The entry is in the log.", "The entry is not proved to be in the log.", ""),
    },
    "detail": {
        "id": ("", "", "Rincian catatan ini sudah dihapus; log hanya menyimpan sidiknya."),
        "en": ("", "", "The entry's detail was erased; the log keeps only its hash."),
    },
    "query": {
        "id": (
            "Pertanyaan ini sama dengan yang dicatat log.",
            "Pertanyaan ini tidak sama dengan yang dicatat log.",
            "",
        ),
        "en": (
            "The question is the one the log committed to.",
            "The question is not the one the log committed to.",
            "",
        ),
    },
    "result": {
        "id": (
            "Jawaban ini sama dengan yang dicatat log.",
            "Jawaban ini tidak sama dengan yang dicatat log.",
            "",
        ),
        "en": (
            "The answer is the one the log committed to.",
            "The answer is not the one the log committed to.",
            "",
        ),
    },
    "answer": {
        "id": (
            "Jawaban ini milik pertanyaan itu.",
            "Jawaban ini bukan milik pertanyaan itu.",
            "Tidak ada jawaban yang disertakan; log hanya menunjukkan pertanyaannya.",
        ),
        "en": (
            "The answer is one to this question.",
            "The answer is not one to this question.",
            "No answer comes with the file; the log shows the question only.",
        ),
    },
    "source": {
        "id": (
            "Kiriman asal jawaban ini disebut oleh jawaban.",
            "Kiriman yang disertakan tidak disebut oleh jawaban mana pun.",
            "Tidak semua kiriman asal jawaban disertakan.",
        ),
        "en": (
            "The answer names the batch that it came from.",
            "No answer names the batch that comes with it.",
            "Not every batch that the answer came from comes with the file.",
        ),
    },
    "source_log": {
        "id": (
            "Penerimaan kiriman asal tercatat dalam log.",
            "Penerimaan kiriman asal tidak terbukti tercatat dalam log.",
            "",
        ),
        "en": (
            "The acceptance of the batch it came from is in the log.",
            "The acceptance of the batch it came from is not proved to be logged.",
            "",
        ),
    },
    "decision": {
        "id": (
            "Keputusan ini sama dengan yang dicatat log.",
            "Keputusan ini tidak sama dengan yang dicatat log.",
            "",
        ),
        "en": (
            "The decision is the one the log committed to.",
            "The decision is not the one the log committed to.",
            "",
        ),
    },
    "statement": {
        "id": (
            "Pernyataan ini sama dengan yang diputuskan.",
            "Pernyataan atau rincian tidak sama dengan yang diputuskan.",
            "Pernyataan yang diputuskan tidak disertakan.",
        ),
        "en": (
            "The statement is the one that was decided on.",
            "The statement or the detail is not what was decided on.",
            "The statement that was decided on does not come with the file.",
        ),
    },
}
